//! Things at names, found by what stands above and below a name.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::host::HostName;

/// Values by name. Only what stands at, above or below a name can have to do with it, so that comparing two long lists
/// costs little more than reading them.
#[derive(Debug)]
pub(super) struct Tree<T>(BTreeMap<String, Vec<T>>);

impl<T> Tree<T> {
    /// From values with their names; `None` stands above all names.
    pub(super) fn new<'a>(values: impl IntoIterator<Item = (Option<&'a HostName>, T)>) -> Self {
        let mut tree: BTreeMap<String, Vec<T>> = BTreeMap::new();
        for (name, value) in values {
            tree.entry(key(name)).or_default().push(value);
        }
        Self(tree)
    }

    /// The values at and above the name, and those below it if asked for.
    pub(super) fn related(&self, name: Option<&HostName>, below: bool) -> impl Iterator<Item = &T> {
        let key = key(name);
        let above: Vec<&Vec<T>> = std::iter::once(0)
            .chain(key.match_indices('.').map(|(dot, _)| dot + 1))
            .filter_map(|end| self.0.get(&key[..end]))
            .collect();
        let under = below.then(|| {
            let after = (Bound::Excluded(key.clone()), Bound::Unbounded);
            self.0.range(after).take_while(move |(other, _)| other.starts_with(&key)).map(|(_, values)| values)
        });
        above.into_iter().chain(under.into_iter().flatten()).flatten()
    }
}

/// `com.contoso.` for `contoso.com`, so that what stands below a name begins with its key.
fn key(name: Option<&HostName>) -> String {
    name.into_iter().flat_map(|name| name.as_str().rsplit('.')).flat_map(|label| [label, "."]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relatives_are_found_and_nobody_else() {
        let names = ["com", "contoso.com", "a.contoso.com", "b.a.contoso.com", "acontoso.com", "contoso.com.example"];
        let hosts: Vec<HostName> = names.iter().map(|n| HostName::parse(n).unwrap()).collect();
        let all = hosts.iter().zip(names).map(|(host, name)| (Some(host), name)).chain([(None, "*")]);
        let tree = Tree::new(all);
        let related =
            |name: &str, below| tree.related(Some(&HostName::parse(name).unwrap()), below).copied().collect::<Vec<_>>();
        assert_eq!(related("contoso.com", false), ["*", "com", "contoso.com"]);
        assert_eq!(related("contoso.com", true), ["*", "com", "contoso.com", "a.contoso.com", "b.a.contoso.com"]);
        assert_eq!(related("x.contoso.com", true), ["*", "com", "contoso.com"]);
        assert_eq!(tree.related(None, true).count(), 7);
        assert_eq!(tree.related(None, false).copied().collect::<Vec<_>>(), ["*"]);
    }
}
