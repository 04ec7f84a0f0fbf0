//! Rules on cloud services: gateways, applications, connectors.

use jiff::civil::Date;

use super::Case;
use super::answer::{Answer, Answered, NEVER_SAID, known, lacks, rows};
use crate::settings::Workload;
use crate::site::{CmgKind, EntraApp, Fact};

/// The first build whose setup stops at a classic gateway, at clients over plain HTTP and at Windows Server 2012 R2
/// (version 2403).
pub(super) const STRICT_SETUP: u32 = 9128;
/// The first build that does not need the service for compliance checks that goes away (version 2603).
const OWN_COMPLIANCE: u32 = 9146;
/// That service among the catalog's retirements.
const COMPLIANCE_SERVICE: &str = "compliance-service";
/// Secrets that end within so many days are worth a warning.
pub(super) const SOON_DAYS: i32 = 60;

pub(super) fn classic_gateways(case: &Case<'_>) -> Answered {
    if case.target.build < STRICT_SETUP {
        return Ok(Answer::needless("setup looks at it from version 2403 on"));
    }
    let gateways = rows("cloud management gateways", &case.facts.cmgs)?;
    let more = lacks("cloud management gateways", &case.facts.cmgs);
    if gateways.is_empty() {
        let points = rows("CMG connection points", &case.facts.cmg_connection_points)?;
        let addresses = rows("addresses of gateways", &case.facts.cmg_addresses)?;
        if points.is_empty() && addresses.is_empty() {
            return Ok(Answer::needless("there is no cloud management gateway").and(more));
        }
        let traces =
            format!("{} connection points and {} addresses of gateways say otherwise", points.len(), addresses.len());
        let how = "look at the gateways in the console, and state gateways in cmcomply.toml";
        return Ok(Answer::missing("whether there is no cloud management gateway", traces, how));
    }
    Ok(gateways
        .iter()
        .map(|gateway| {
            let name = gateway.name.as_deref().unwrap_or("a gateway without a name");
            let deployed = gateway.deployment_name.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
            match gateway.kind() {
                Some(CmgKind::ScaleSet) => Answer::fine(format!("{name} is a scale set ({deployed})")),
                Some(CmgKind::Classic) => Answer::wrong(format!("{name} is a cloud service (classic), {deployed}")),
                None => Answer::missing(
                    format!("how {name} is deployed"),
                    format!("its deployment name ({deployed}) does not tell"),
                    "look at the gateway's deployment model in the console",
                ),
            }
        })
        .chain([more])
        .collect())
}

pub(super) fn cloud_distribution_points(case: &Case<'_>) -> Answered {
    let points = rows("cloud distribution points", &case.facts.cloud_distribution_points)?;
    let more = lacks("cloud distribution points", &case.facts.cloud_distribution_points);
    if points.is_empty() {
        return Ok(Answer::fine("there is none").and(more));
    }
    // A gateway that serves content is listed as one too.
    let gateways = rows("cloud management gateways", &case.facts.cmgs)?;
    let names: Vec<_> = gateways.iter().flat_map(|g| [&g.service_name, &g.deployment_name]).flatten().collect();
    Ok(points
        .iter()
        .map(|point| match &point.host {
            Some(host) if names.iter().any(|name| name.same_machine(host)) => {
                Answer::fine(format!("{host} is a gateway that serves content"))
            }
            // It may be a gateway that is not seen.
            Some(_) if case.facts.cmgs.may_lack().is_some() => lacks("cloud management gateways", &case.facts.cmgs),
            Some(host) => Answer::wrong(format!("{host} in site {}", point.site)),
            None => Answer::missing(
                format!("the name of a cloud distribution point of site {}", point.site),
                "the site database has none",
                "look at Administration, Cloud Services in the console",
            ),
        })
        .chain([more])
        .collect())
}

/// The applications, unless nobody can tell when secrets end.
fn apps<'a>(case: &Case<'a>) -> Result<&'a [EntraApp], Answer> {
    let fact = &case.facts.entra_apps;
    if let Fact::Known { source, .. } = fact
        && source.missing_columns.iter().any(|column| column.eq_ignore_ascii_case("SecretKeyExpiry"))
    {
        return Err(Answer::missing(
            "when the secrets end",
            format!("{} has no such column", source.object),
            "look at Administration, Cloud Services, Microsoft Entra tenants in the console",
        ));
    }
    rows("applications in Microsoft Entra", fact)
}

/// How an application is called.
pub(super) fn app_name(app: &EntraApp) -> &str {
    app.name.as_deref().unwrap_or(&app.client_id)
}

pub(super) fn secrets_valid(case: &Case<'_>) -> Answered {
    secrets(case, |app, ends| Answer::of(ends > case.day, format!("the secret of {} ends on {ends}", app_name(app))))
}

pub(super) fn secrets_last(case: &Case<'_>) -> Answered {
    secrets(case, |app, ends| {
        let days = days_until(case.day, ends);
        // What has ended is another rule's.
        let soon = (1..=SOON_DAYS).contains(&days);
        Answer::of(!soon, format!("the secret of {} ends on {ends}, in {days} days", app_name(app)))
    })
}

fn secrets(case: &Case<'_>, ask: impl Fn(&EntraApp, Date) -> Answer) -> Answered {
    let apps = apps(case)?;
    let answers = apps.iter().filter_map(|app| Some(ask(app, app.secret_expires?.date())));
    let answers: Answer = answers.chain([lacks("applications in Microsoft Entra", &case.facts.entra_apps)]).collect();
    if answers == Answer::default() {
        return Ok(Answer::needless(format!("{} applications, none with a secret that ends", apps.len())));
    }
    Ok(answers)
}

/// Days from one day to another; negative if it has passed.
pub(super) fn days_until(from: Date, to: Date) -> i32 {
    from.until(to).map_or(0, |span| span.get_days())
}

pub(super) fn compliance_service(case: &Case<'_>) -> Answered {
    if case.target.build >= OWN_COMPLIANCE {
        return Ok(Answer::fine(format!("version {} does not use the service", case.target.version)));
    }
    let policies = *known("co-management policies", &case.facts.co_management_policies)?;
    if policies == 0 {
        let more = lacks("co-management policies", &case.facts.co_management_policies);
        return Ok(Answer::needless("there is no co-management policy").and(more));
    }
    Ok(match case.stated.compliance_workload {
        Some(Workload::ConfigurationManager) => {
            Answer::fine("Configuration Manager has the compliance workload (stated by the operator)")
        }
        Some(Workload::Intune) => {
            let service = case.catalog.retirements.iter().find(|one| one.id == COMPLIANCE_SERVICE);
            let Some(ends) = service.and_then(|service| service.day) else {
                let how = "use a newer catalog";
                return Ok(Answer::missing(
                    "when the service behind compliance checks ends",
                    "not in the catalog",
                    how,
                ));
            };
            Answer::of(
                case.day < ends,
                format!(
                    "Intune has the compliance workload (stated by the operator), and the service goes away in {}; \
                     version {} still uses it",
                    ends.strftime("%B %Y"),
                    case.target.version
                ),
            )
        }
        None => Answer::missing(
            "whether Intune has the compliance workload",
            NEVER_SAID,
            "state compliance_workload under [readiness] in cmcomply.toml",
        ),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the signature of the table")]
pub(super) fn secure_clients(case: &Case<'_>) -> Answered {
    if case.target.build < STRICT_SETUP {
        return Ok(Answer::needless("setup looks at it from version 2403 on"));
    }
    Ok(match case.stated.https_or_enhanced_http {
        Some(true) => Answer::fine("every site has it (stated by the operator)"),
        Some(false) => Answer::wrong("a site allows plain HTTP (stated by the operator)"),
        None => Answer::missing(
            "whether every site is set to HTTPS or enhanced HTTP",
            NEVER_SAID,
            "state https_or_enhanced_http under [readiness] in cmcomply.toml",
        ),
    })
}

pub(super) fn store_for_business(case: &Case<'_>) -> Answered {
    let accounts = known("Microsoft Store for Business", &case.facts.store_for_business)?.accounts;
    let more = lacks("accounts of Microsoft Store for Business", &case.facts.store_for_business);
    Ok(Answer::of(accounts == 0, format!("{accounts} accounts are set up")).and(more))
}

pub(super) fn desktop_analytics(case: &Case<'_>) -> Answered {
    let settings = *known("Desktop Analytics settings", &case.facts.desktop_analytics)?;
    let more = lacks("Desktop Analytics settings", &case.facts.desktop_analytics);
    Ok(Answer::of(settings == 0, format!("{settings} settings of it")).and(more))
}

pub(super) fn retired_connectors(case: &Case<'_>) -> Answered {
    let services = rows("Azure services", &case.facts.azure_services)?;
    let more = lacks("Azure services", &case.facts.azure_services);
    if services.is_empty() {
        return Ok(Answer::fine("there are no Azure services").and(more));
    }
    let names: Vec<&str> =
        services.iter().map(|service| service.name.as_deref().unwrap_or("one without a name")).collect();
    let names = names.join(", ");
    let answer = match case.stated.retired_connectors {
        Some(false) => Answer::fine(format!("none of {names} is one (stated by the operator)")),
        Some(true) => Answer::wrong(format!("one of {names} is one (stated by the operator)")),
        None => Answer::missing(
            format!("what the Azure services are ({names})"),
            "what their numbers mean is not documented",
            "look at Administration, Cloud Services, Azure Services, and state retired_connectors under [readiness] in \
             cmcomply.toml",
        ),
    };
    Ok(answer.and(more))
}
