//! What a line of a list stands for, and how two lines relate.

use std::fmt;

use crate::host::{HostName, HostPattern};

/// The names that one line of a list stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ListPattern {
    /// One host, the hosts below a name, or labels with a suffix, as the catalog writes them.
    Host(HostPattern),
    /// A name and every host below it: what `.name` means to Squid and others.
    ApexAndSubdomains(HostName),
}

impl ListPattern {
    /// One host.
    pub fn exact(name: HostName) -> Self {
        Self::Host(HostPattern::Exact(name))
    }

    /// Every host below the name, not the name itself.
    pub fn subdomains(name: HostName) -> Self {
        Self::Host(HostPattern::Subdomains(name))
    }

    /// Whether the host belongs to the pattern. Single hosts and wildcards ask [`HostPattern::matches`].
    pub fn matches(&self, host: &HostName) -> bool {
        match self {
            Self::Host(pattern) => pattern.matches(host),
            Self::ApexAndSubdomains(name) => host == name || is_below(host, name),
        }
    }

    /// Whether every host of `other` belongs to this pattern too.
    pub fn covers(&self, other: &Self) -> bool {
        use HostPattern::{Exact, LabelSuffix, Subdomains};
        match (self, other) {
            (_, Self::Host(Exact(name))) => self.matches(name),
            (Self::Host(LabelSuffix { suffix, parent }), Self::Host(LabelSuffix { suffix: longer, parent: same })) => {
                parent == same && longer.ends_with(suffix.as_str())
            }
            (Self::Host(Exact(_) | LabelSuffix { .. }), _) => false,
            (Self::Host(Subdomains(name)), Self::ApexAndSubdomains(apex)) => is_below(apex, name),
            (Self::Host(Subdomains(name)) | Self::ApexAndSubdomains(name), _) => {
                other.base() == name || is_below(other.base(), name)
            }
        }
    }

    /// Whether some host belongs to both patterns.
    pub fn overlaps(&self, other: &Self) -> bool {
        // Of a name and its subdomains, a label pattern may hold the name alone.
        let holds_apex = |label: &Self, apex: &Self| match apex {
            Self::ApexAndSubdomains(name) => label.matches(name),
            Self::Host(_) => false,
        };
        self.covers(other) || other.covers(self) || holds_apex(self, other) || holds_apex(other, self)
    }

    /// The name at or below which every host of the pattern stands.
    pub fn base(&self) -> &HostName {
        match self {
            Self::Host(HostPattern::Exact(name) | HostPattern::Subdomains(name)) | Self::ApexAndSubdomains(name) => {
                name
            }
            Self::Host(HostPattern::LabelSuffix { parent, .. }) => parent,
        }
    }

    /// `exact`, `subdomains`, `apex and subdomains` or `label suffix`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Host(HostPattern::Exact(_)) => "exact",
            Self::Host(HostPattern::Subdomains(_)) => "subdomains",
            Self::Host(HostPattern::LabelSuffix { .. }) => "label suffix",
            Self::ApexAndSubdomains(_) => "apex and subdomains",
        }
    }
}

impl fmt::Display for ListPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(pattern) => f.pad(&pattern.to_string()),
            Self::ApexAndSubdomains(name) => f.pad(&format!(".{name}")),
        }
    }
}

/// The fewest patterns that stand for the same hosts, in the order of their names: a name and its subdomains become
/// one pattern, and what another pattern covers is left out. Some products refuse a list that says a thing twice.
pub(super) fn without_overlap(patterns: impl IntoIterator<Item = ListPattern>) -> Vec<ListPattern> {
    let mut all: Vec<ListPattern> = patterns.into_iter().collect();
    let apexes: Vec<ListPattern> = all
        .iter()
        .filter(|p| matches!(p, ListPattern::Host(HostPattern::Subdomains(_))))
        .filter(|p| all.iter().any(|other| other.matches(p.base())))
        .map(|p| ListPattern::ApexAndSubdomains(p.base().clone()))
        .collect();
    all.extend(apexes);
    all.sort();
    all.dedup();
    // No two different patterns stand for the same hosts, so of two that cover each other there are none.
    let mut kept: Vec<ListPattern> =
        all.iter().filter(|p| !all.iter().any(|other| other != *p && other.covers(p))).cloned().collect();
    kept.sort_by(|a, b| a.base().cmp(b.base()).then_with(|| a.cmp(b)));
    kept
}

/// Whether the host stands below the name, at any depth.
fn is_below(host: &HostName, name: &HostName) -> bool {
    host.as_str().strip_suffix(name.as_str()).is_some_and(|head| head.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every name of up to `depth` labels of a small alphabet.
    fn names(depth: usize) -> Vec<HostName> {
        let mut all: Vec<String> = Vec::new();
        let mut last = vec![String::new()];
        for _ in 0..depth {
            last = last
                .iter()
                .flat_map(|below| {
                    ["a", "b-a", "c-b-a", "d-b-a"]
                        .map(|l| if below.is_empty() { l.into() } else { format!("{l}.{below}") })
                })
                .collect();
            all.extend(last.iter().cloned());
        }
        all.iter().map(|name| HostName::parse(name).unwrap()).collect()
    }

    /// Every pattern of each kind over names of up to two labels; one more for single hosts.
    fn patterns() -> Vec<ListPattern> {
        let mut all: Vec<ListPattern> = names(3).into_iter().map(ListPattern::exact).collect();
        for name in names(2) {
            all.push(ListPattern::subdomains(name.clone()));
            for suffix in ["-a", "-b-a"] {
                let (suffix, parent) = (suffix.to_owned(), name.clone());
                all.push(ListPattern::Host(HostPattern::LabelSuffix { suffix, parent }));
            }
            all.push(ListPattern::ApexAndSubdomains(name));
        }
        all
    }

    /// One bit for each name that belongs to the pattern.
    fn members(pattern: &ListPattern, names: &[HostName]) -> Vec<bool> {
        names.iter().map(|name| pattern.matches(name)).collect()
    }

    #[test]
    fn covers_and_overlaps_are_what_the_sets_of_names_say() {
        let names = names(4);
        let sets: Vec<_> = patterns().into_iter().map(|p| (members(&p, &names), p)).collect();
        for (set_a, a) in &sets {
            for (set_b, b) in &sets {
                let subset = set_b.iter().zip(set_a).all(|(b, a)| !b || *a);
                assert_eq!(a.covers(b), subset, "{a} covers {b}");
                let common = set_b.iter().zip(set_a).any(|(b, a)| *b && *a);
                assert_eq!(a.overlaps(b), common, "{a} overlaps {b}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn leaving_out_what_is_covered_changes_no_answer(picks in proptest::collection::vec(0usize..1000, 0..8)) {
            let (names, all) = (names(4), patterns());
            let picked: Vec<ListPattern> = picks.iter().map(|i| all[i % all.len()].clone()).collect();
            let kept = without_overlap(picked.clone());
            for name in &names {
                let (before, after) = (picked.iter().any(|p| p.matches(name)), kept.iter().any(|p| p.matches(name)));
                proptest::prop_assert_eq!(before, after, "{} of {:?}, kept {:?}", name, picked, kept);
            }
            for (i, a) in kept.iter().enumerate() {
                proptest::prop_assert!(!kept.iter().enumerate().any(|(j, b)| i != j && a.covers(b)));
            }
        }

        #[test]
        fn case_and_a_trailing_dot_change_nothing(pick in 0usize..1000, name in 0usize..1000) {
            let (names, all) = (names(4), patterns());
            let (pattern, name) = (&all[pick % all.len()], &names[name % names.len()]);
            let shouted = HostName::parse(&format!("{}.", name.as_str().to_uppercase())).unwrap();
            proptest::prop_assert_eq!(pattern.matches(name), pattern.matches(&shouted));
        }
    }
}
