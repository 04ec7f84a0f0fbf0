//! Endpoint templates: a host pattern, or text with variables that the site database fills.

use std::fmt;

use serde::Serialize;

use crate::host::{HostError, HostName, HostPattern};

/// What an entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointTemplate {
    /// A host pattern that needs no fact.
    Pattern(HostPattern),
    /// `{cmg.storage}.blob.{azure.StorageEndpointSuffix}`
    Template(Vec<Part>),
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it stands.
    Text(String),
    /// A value from the facts.
    Variable(Variable),
}

/// What a template may ask for. A CMG variable makes one endpoint for each CMG, an Azure variable one for each row of
/// `AzureEnvironments` in use (with a CMG variable: the row of that CMG), a software update point variable one for each
/// server at the other end, and a notification or catalog variable one for each host of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// `cmg.service-name`
    CmgServiceName,
    /// `cmg.deployment-name`
    CmgDeploymentName,
    /// `cmg.storage`: the storage account's name
    CmgStorage,
    /// `cmg.prefix`: the first label of the deployment name
    CmgPrefix,
    /// `azure.COLUMN`: the host in a column of `AzureEnvironments`, or its suffix if the column is one
    Azure(String),
    /// `azure.further`: the host in each column of `AzureEnvironments` that is none of [`AZURE_COLUMNS`]
    AzureFurther,
    /// `sup.upstream`: the server that this host's software update point synchronizes from
    SupUpstream,
    /// `sup.downstream`: servers of child sites that synchronize from this one
    SupDownstream,
    /// `notification.host`: a host that external notifications go to, such as an Azure logic app
    NotificationHost,
    /// `third-party-catalog.host`: where a third-party update catalog is downloaded from
    ThirdPartyCatalogHost,
}

/// The columns of `AzureEnvironments` that hold a host, an address or a suffix, as far as they are described.
pub const AZURE_COLUMNS: [&str; 19] = [
    "ActiveDirectoryEndpoint",
    "CMMicroServiceResourceEndpoint",
    "CloudServiceSuffix",
    "GalleryEndpoint",
    "GatewayService",
    "GraphEndpoint",
    "IntuneWebPortalLoginURL",
    "KeyVaultDNSSuffix",
    "KeyVaultEndpoint",
    "MDMEnrollmentURL",
    "ManagementPortalURL",
    "MicrosoftGraphEndpoint",
    "PublishSettingsURL",
    "ResourceManagerEndpoint",
    "SQLDatabaseDNSSuffix",
    "ServiceBusEndpointSuffix",
    "ServiceManagementEndpoint",
    "StorageEndpointSuffix",
    "TrafficManagerDNSSuffix",
];

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Not a host pattern.
    #[error("`{text}` is no host pattern: {source}")]
    Pattern {
        /// The text.
        text: String,
        /// Why not.
        source: HostError,
    },
    /// A variable that does not exist.
    #[error(
        "unknown variable `{{{name}}}`; known: {{cmg.service-name}}, {{cmg.deployment-name}}, {{cmg.storage}}, \
         {{cmg.prefix}}, {{azure.COLUMN}}, {{azure.further}}, {{sup.upstream}}, {{sup.downstream}}, {{notification.host}}, \
         {{third-party-catalog.host}}"
    )]
    UnknownVariable {
        /// Its name.
        name: String,
    },
    /// `{` without `}`.
    #[error("`{{` without `}}` in `{text}`")]
    Unclosed {
        /// The text.
        text: String,
    },
}

impl EndpointTemplate {
    /// Parses a host pattern or a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let pattern_error = |source| TemplateError::Pattern { text: text.to_owned(), source };
        if !text.contains('{') {
            return HostPattern::parse(text).map(Self::Pattern).map_err(pattern_error);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let (name, tail) =
                after.split_once('}').ok_or_else(|| TemplateError::Unclosed { text: text.to_owned() })?;
            parts.push(Part::Variable(Variable::parse(name)?));
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        // What stands between the variables must be able to be part of a host name: try it with a label for each.
        let sample: String = parts.iter().map(|p| if let Part::Text(t) = p { t.as_str() } else { "x" }).collect();
        HostName::parse(&sample).map_err(pattern_error)?;
        Ok(Self::Template(parts))
    }
}

impl Variable {
    fn parse(name: &str) -> Result<Self, TemplateError> {
        Ok(match name {
            "cmg.service-name" => Self::CmgServiceName,
            "cmg.deployment-name" => Self::CmgDeploymentName,
            "cmg.storage" => Self::CmgStorage,
            "cmg.prefix" => Self::CmgPrefix,
            "sup.upstream" => Self::SupUpstream,
            "sup.downstream" => Self::SupDownstream,
            "notification.host" => Self::NotificationHost,
            "third-party-catalog.host" => Self::ThirdPartyCatalogHost,
            "azure.further" => Self::AzureFurther,
            other => match other.strip_prefix("azure.") {
                Some(column) if !column.is_empty() && column.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                    Self::Azure(column.to_owned())
                }
                _ => return Err(TemplateError::UnknownVariable { name: name.to_owned() }),
            },
        })
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CmgServiceName => f.write_str("cmg.service-name"),
            Self::CmgDeploymentName => f.write_str("cmg.deployment-name"),
            Self::CmgStorage => f.write_str("cmg.storage"),
            Self::CmgPrefix => f.write_str("cmg.prefix"),
            Self::Azure(column) => write!(f, "azure.{column}"),
            Self::AzureFurther => f.write_str("azure.further"),
            Self::SupUpstream => f.write_str("sup.upstream"),
            Self::SupDownstream => f.write_str("sup.downstream"),
            Self::NotificationHost => f.write_str("notification.host"),
            Self::ThirdPartyCatalogHost => f.write_str("third-party-catalog.host"),
        }
    }
}

impl fmt::Display for EndpointTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern) => write!(f, "{pattern}"),
            Self::Template(parts) => parts.iter().try_for_each(|part| match part {
                Part::Text(text) => f.write_str(text),
                Part::Variable(variable) => write!(f, "{{{variable}}}"),
            }),
        }
    }
}

impl Serialize for EndpointTemplate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_round_trip() {
        for text in [
            "*.update.microsoft.com",
            "{azure.further}",
            "{cmg.storage}.blob.{azure.StorageEndpointSuffix}",
            "{sup.upstream}",
        ] {
            assert_eq!(EndpointTemplate::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn errors_name_the_place() {
        assert!(matches!(EndpointTemplate::parse("{cmg.nam}"), Err(TemplateError::UnknownVariable { .. })));
        assert!(matches!(EndpointTemplate::parse("{cmg.storage"), Err(TemplateError::Unclosed { .. })));
        assert!(matches!(EndpointTemplate::parse("{cmg.storage} x"), Err(TemplateError::Pattern { .. })));
        assert!(matches!(EndpointTemplate::parse("a b"), Err(TemplateError::Pattern { .. })));
    }
}
