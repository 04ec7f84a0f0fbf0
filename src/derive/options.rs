//! What the operator says besides the facts.

use super::route::StatedRoutes;
use crate::catalog::Catalog;

/// What the operator says besides the facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Routes of contexts that the site database does not know.
    pub routes: StatedRoutes,
    /// The build to derive for; `None`: that of the hierarchy.
    pub target_build: Option<u32>,
}

impl From<StatedRoutes> for Options {
    fn from(routes: StatedRoutes) -> Self {
        Self { routes, target_build: None }
    }
}

/// A version that the catalog does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown version `{version}`; known: {}", known.join(", "))]
pub struct UnknownVersion {
    /// What was asked for, fit to be shown.
    pub version: String,
    /// The versions that the catalog knows, oldest first.
    pub known: Vec<String>,
}

impl Options {
    /// The same, for a version of Configuration Manager such as `2603`, or a build such as `9146`.
    pub fn for_version(self, version: &str, catalog: &Catalog) -> Result<Self, UnknownVersion> {
        let release =
            catalog.releases.iter().find(|release| release.version == version || release.build.to_string() == version);
        match release {
            Some(release) => Ok(Self { target_build: Some(release.build), ..self }),
            None => Err(UnknownVersion {
                version: crate::text::ascii(version, 40),
                known: catalog.releases.iter().map(|release| release.version.clone()).collect(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_known_by_its_name_or_its_build() {
        let build = |version| Options::default().for_version(version, Catalog::embedded()).map(|o| o.target_build);
        assert_eq!(build("2603"), Ok(Some(9146)));
        assert_eq!(build("9146"), Ok(Some(9146)));
        let error = build("26\u{1b}03").unwrap_err();
        assert!(error.to_string().starts_with("unknown version `26\\u{1b}03`; known: 2010, 2103,"), "{error}");
        assert!(error.known.contains(&"2603".to_owned()));
    }
}
