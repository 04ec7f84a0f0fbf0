//! Whether a template that could not be filled may be a certain name: what shape its values can have.

use super::allow_line::AllowPattern;
use super::pattern::ListPattern;
use crate::catalog::{EndpointTemplate, Part, Variable};
use crate::host::{HostName, HostPattern};

/// External notifications go to Azure Logic Apps alone (article on external notifications).
const LOGIC_APPS: &[&str] = &["logic.azure.com", "logic.azure.us"];
/// A deployment is named in a domain of Azure: the page's, and those of its earlier revisions.
const DEPLOYMENTS: &[&str] =
    &["cloudapp.net", "cloudapp.azure.com", "usgovcloudapp.net", "usgovcloudapi.net", "cloudapp.usgovcloudapi.net"];
/// `StorageEndpointSuffix` of both clouds.
const STORAGE: &[&str] = &["core.windows.net", "core.usgovcloudapi.net"];
/// `KeyVaultDNSSuffix` of both clouds.
const VAULTS: &[&str] = &["vault.azure.net", "vault.usgovcloudapi.net"];
/// What the other columns of `AzureEnvironments` hold are names of Microsoft's own.
const MICROSOFT: &[&str] = &[
    "aka.ms",
    "azure.com",
    "azure.net",
    "azure.us",
    "live.com",
    "microsoft.com",
    "microsoft.us",
    "microsoftazure.us",
    "microsoftonline.com",
    "microsoftonline.us",
    "usgovcloudapi.net",
    "windows.net",
    "windowsazure.com",
    "windowsazure.us",
];

/// What a variable's value looks like.
enum Shape {
    /// One of these.
    One(&'static [&'static str]),
    /// One of these, or a name below one.
    Within(&'static [&'static str]),
    /// Any name: an own service name, a server of the hierarchy, a publisher.
    Any,
}

fn shape(variable: &Variable) -> Shape {
    match variable {
        Variable::NotificationHost => Shape::Within(LOGIC_APPS),
        Variable::CmgDeploymentName => Shape::Within(DEPLOYMENTS),
        Variable::Azure(column) => match column.as_str() {
            "StorageEndpointSuffix" => Shape::One(STORAGE),
            "KeyVaultDNSSuffix" => Shape::One(VAULTS),
            // Domains of Azure's customers, such as cloudapp.net.
            "CloudServiceSuffix" | "TrafficManagerDNSSuffix" => Shape::Any,
            _ => Shape::Within(MICROSOFT),
        },
        Variable::CmgServiceName
        | Variable::CmgStorage
        | Variable::CmgPrefix
        | Variable::AzureFurther
        | Variable::SupUpstream
        | Variable::SupDownstream
        | Variable::ThirdPartyCatalogHost => Shape::Any,
    }
}

/// Whether a template, filled, may be a name of the pattern. In doubt it may.
pub(crate) fn may_fill(template: &str, allowed: &AllowPattern) -> bool {
    let AllowPattern::Names(pattern) = allowed else { return true };
    variants(template).iter().any(|template| fits(template, pattern))
}

/// The template with the shapes of its variables for these; `{}` stands for any text.
fn variants(template: &str) -> Vec<String> {
    let Ok(EndpointTemplate::Template(parts)) = EndpointTemplate::parse(template) else {
        return vec![template.to_ascii_lowercase()];
    };
    let mut all = vec![String::new()];
    for part in &parts {
        let pieces: Vec<String> = match part {
            Part::Text(text) => vec![text.to_ascii_lowercase()],
            Part::Variable(variable) => match shape(variable) {
                Shape::Any => vec!["{}".to_owned()],
                Shape::One(values) => values.iter().map(|value| (*value).to_owned()).collect(),
                Shape::Within(domains) => {
                    domains.iter().flat_map(|domain| [(*domain).to_owned(), format!("{{}}.{domain}")]).collect()
                }
            },
        };
        all = all.iter().flat_map(|start| pieces.iter().map(move |piece| format!("{start}{piece}"))).collect();
    }
    all
}

/// The names below which the template's names all stand, for each shape that its variables can have; `None` where the
/// shape says nothing of it.
pub(super) fn parents(template: &str) -> Vec<Option<HostName>> {
    let parent = |variant: &String| {
        let (_, parent) = literals(variant).pop()?.split_once('.')?;
        HostName::parse(parent).ok()
    };
    variants(template).iter().map(parent).collect()
}

/// What stands around the variables.
fn literals(template: &str) -> Vec<&str> {
    template.split('{').map(|piece| piece.rsplit('}').next().unwrap_or_default()).collect()
}

fn fits(template: &str, pattern: &ListPattern) -> bool {
    let literals = literals(template);
    let (start, end) = (literals[0], literals[literals.len() - 1]);
    let base = pattern.base().as_str();
    if literals.len() == 1 {
        return HostName::parse(start).is_ok_and(|name| pattern.matches(&name));
    }
    if !matches!(pattern, ListPattern::Host(HostPattern::Exact(_))) {
        return base.ends_with(end) || end.ends_with(&format!(".{base}"));
    }
    // What stands between the variables must be there in its order; a variable is never empty.
    let inner = base.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    inner.is_some_and(|mut rest| {
        let between = &literals[1..literals.len() - 1];
        between.iter().all(|literal| {
            let found = rest.get(1..).and_then(|after| after.split_once(literal));
            found.inspect(|(_, after)| rest = after).is_some()
        }) && !rest.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::super::allow_line::AllowLine;
    use super::*;

    fn may(template: &str, line: &str) -> bool {
        may_fill(template, &AllowLine::parse(line).unwrap().unwrap().pattern)
    }

    #[test]
    fn a_template_may_be_what_its_words_allow() {
        let storage = "{cmg.storage}.blob.{azure.StorageEndpointSuffix}";
        assert!(may(storage, "granitefalls.blob.core.windows.net") && may(storage, "*.blob.core.windows.net"));
        assert!(!may(storage, "granitefalls.table.core.windows.net") && !may(storage, "blob.core.windows.net"));
        let gateway = "{cmg.prefix}.Gateway.contoso.com";
        assert!(may(gateway, "a.gateway.contoso.com") && may(gateway, "*.contoso.com") && may(gateway, "*"));
        assert!(may(gateway, ".gateway.contoso.com") && may(gateway, "*.a.gateway.contoso.com"));
        assert!(
            !may(gateway, "gateway.contoso.com") && !may(gateway, "a.contoso.com") && !may(gateway, "*.fabrikam.com")
        );
        assert!(!may(gateway, ".agateway.contoso.com"));
        assert!(may("{sup.upstream}", "anything.example"));
    }

    #[test]
    fn a_template_may_be_what_its_values_look_like() {
        let host = "{notification.host}";
        assert!(may(host, "prod1.westus2.logic.azure.com") && may(host, "*.westus2.logic.azure.com"));
        assert!(may(host, "*.azure.com") && may(host, "*") && may(host, "prod1.usgovvirginia.logic.azure.us"));
        for foreign in ["old.contoso.com", "management.azure.com", "xlogic.azure.com", "*.microsoft.com"] {
            assert!(!may(host, foreign), "{foreign}");
        }
        assert!(may("{azure.ResourceManagerEndpoint}", "management.usgovcloudapi.net"));
        assert!(may("{azure.GatewayService}", "aka.ms") && !may("{azure.GatewayService}", "old.contoso.com"));
        assert!(may("{cmg.deployment-name}", "a.westus.cloudapp.azure.com"));
        assert!(!may("{cmg.deployment-name}", "cmg.contoso.com") && may("{cmg.service-name}", "cmg.contoso.com"));
        assert!(may("{cmg.prefix}.{azure.KeyVaultDNSSuffix}", "granitefalls.vault.azure.net"));
        assert!(!may("{cmg.prefix}.{azure.KeyVaultDNSSuffix}", "granitefalls.core.windows.net"));
    }

    #[test]
    fn a_part_of_a_label_is_no_domain() {
        assert!(may("{azure.GraphEndpoint}", "*.microsoft.com") && may("{azure.GraphEndpoint}", "microsoft.com"));
        assert!(!may("{azure.GraphEndpoint}", "*.notmicrosoft.com"));
        assert!(
            !may("{azure.GraphEndpoint}", ".notmicrosoft.com") && !may("{azure.GraphEndpoint}", "notmicrosoft.com")
        );
    }

    #[test]
    fn the_parents_of_a_template_hold_all_that_it_may_be() {
        let of = |template: &str| -> Vec<String> {
            parents(template)
                .into_iter()
                .map(|parent| parent.map_or("-".to_owned(), |parent| parent.to_string()))
                .collect()
        };
        assert_eq!(of("{cmg.storage}.blob.contoso.com"), ["blob.contoso.com"]);
        assert_eq!(of("{cmg.prefix}-a.contoso.com"), ["contoso.com"]);
        assert_eq!(of("{azure.StorageEndpointSuffix}"), ["windows.net", "usgovcloudapi.net"]);
        assert_eq!(of("x.{cmg.service-name}"), ["-"]);
    }

    /// What the site database holds for every variable that has a shape must have it.
    #[test]
    fn the_values_that_are_known_have_their_shape() {
        for (column, value) in [
            ("ManagementPortalURL", "portal.azure.us"),
            ("ServiceManagementEndpoint", "management.core.usgovcloudapi.net"),
            ("ActiveDirectoryEndpoint", "login.microsoftonline.us"),
            ("GraphEndpoint", "graph.windows.net"),
            ("MicrosoftGraphEndpoint", "graph.microsoft.us"),
            ("GalleryEndpoint", "gallery.usgovcloudapi.net"),
            ("KeyVaultEndpoint", "vault.azure.net"),
            ("MDMEnrollmentURL", "enrollment.manage.microsoft.com"),
            ("CloudServiceSuffix", "cloudapp.net"),
            ("TrafficManagerDNSSuffix", "trafficmanager.net"),
        ] {
            assert!(may(&format!("{{azure.{column}}}"), value), "{column}");
        }
    }
}
