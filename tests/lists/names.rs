//! Names that try a pattern: those that belong to it, and those that only look so.

use cmcomply::host::{HostName, HostPattern};
use cmcomply::report::lists::ListPattern;

/// Apex, sub, deep, look-alike prefix and suffix, and for labels the near misses; each also in upper case and with a
/// trailing dot, as a client may write it.
pub(crate) fn around(pattern: &ListPattern) -> Vec<String> {
    let base = pattern.base();
    let mut names = vec![
        base.to_string(),
        format!("a.{base}"),
        format!("a.b.c.{base}"),
        format!("evil{base}"),
        format!("evil-{base}"),
        format!("{base}.evil.example"),
        format!("a.{base}.evil.example"),
        format!("{base}x"),
    ];
    if let Some((_, parent)) = base.as_str().split_once('.') {
        names.push(parent.to_owned());
        names.push(format!("a.{parent}"));
    }
    // A dot is no wildcard.
    names.push(base.as_str().replace('.', "x") + ".example");
    let joined = base.as_str().replacen('.', "x", 1);
    names.extend([joined.clone(), format!("a.{joined}"), format!("ax{base}")]);
    if let ListPattern::Host(HostPattern::LabelSuffix { suffix, parent }) = pattern {
        let label = suffix.trim_start_matches('-');
        names.extend([
            format!("eu{suffix}.{parent}"),
            format!("a{suffix}.{parent}"),
            format!("eu-1{suffix}.{parent}"),
            format!("{label}.{parent}"),
            format!("eu{label}.{parent}"),
            format!("a.eu{suffix}.{parent}"),
            format!("eu{suffix}.a.{parent}"),
            format!("eu{suffix}x.{parent}"),
            format!("eu{suffix}x{parent}"),
            format!("eu{suffix}.{joined}"),
        ]);
    }
    names.retain(|name| HostName::parse(name).is_ok_and(|parsed| parsed.as_str() == name));
    names.sort();
    names.dedup();
    names
        .iter()
        .flat_map(|name| [name.clone(), name.to_uppercase(), format!("{name}."), format!("{}.", name.to_uppercase())])
        .collect()
}

/// Whether one of the patterns matches the name as written.
pub(crate) fn expected<'a>(patterns: impl IntoIterator<Item = &'a ListPattern>, name: &str) -> bool {
    let host = HostName::parse(name).expect("generated names are host names");
    patterns.into_iter().any(|pattern| pattern.matches(&host))
}
