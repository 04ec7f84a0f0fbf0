//! Whether a document is what it should be: the `OpenID` configuration of a Microsoft Entra tenant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Line;
use crate::plan::Target;
use crate::probe::Failure;
use crate::probe::http::{Answer, Question};
use crate::text::printable;

/// What the document says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContentLook {
    /// The status of the answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Who issues tokens, as the document says. Safe to print.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Where tokens are had, as the document says. Safe to print.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<String>,
    /// What is wrong with it; `None` if it is as it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

pub(super) async fn look(line: &Line<'_>) -> ContentLook {
    let question = Question { method: "GET", headers: &[("accept", "application/json")], most: MAX_DOCUMENT };
    judge(line.ask(&question).await, &line.probe.target)
}

/// What the answer to the question for the document means.
pub(in crate::probe) fn judge(answer: Result<Answer, Failure>, target: &Target) -> ContentLook {
    let mut look = ContentLook { status: None, issuer: None, token_endpoint: None, fault: None };
    look.fault = match answer {
        Err(failure) => Some(failure.detail),
        Ok(answer) => {
            look.status = Some(answer.status);
            if answer.status == 200 {
                read(&answer.body, target, &mut look).err()
            } else {
                Some(format!("status {} and no document", answer.status))
            }
        }
    };
    look.fault = look.fault.map(|fault| printable(&fault, MAX_FAULT));
    look
}

/// The fields of the document that count. The rest is not kept.
#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    token_endpoint: String,
}

fn read(body: &[u8], target: &Target, look: &mut ContentLook) -> Result<(), String> {
    let document: Configuration = serde_json::from_slice(body)
        .map_err(|error| format!("{} bytes that are no OpenID configuration: {error}", body.len()))?;
    look.issuer = Some(printable(&document.issuer, MAX_URL));
    look.token_endpoint = Some(printable(&document.token_endpoint, MAX_URL));
    let tenant = target.path.split('/').nth(1).unwrap_or_default();
    let host = target.host.as_str();
    agrees("issuer", &document.issuer, &[host, COMMON_ISSUER], tenant)?;
    agrees("token endpoint", &document.token_endpoint, &[host], tenant)
}

/// The URL is of one of these hosts, and of the tenant.
fn agrees(what: &str, text: &str, hosts: &[&str], tenant: &str) -> Result<(), String> {
    let url = Url::parse(text).map_err(|error| format!("the {what} is no URL: {error}"))?;
    let host = url.host_str().unwrap_or_default();
    if url.scheme() != "https" || !hosts.contains(&host) {
        return Err(format!("the {what} is {text}, not of {}: another cloud, or somebody else's document", hosts[0]));
    }
    // A tenant may be asked for by a name; the document then has its number.
    let asked_by_number = tenant.len() == 36 && tenant.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let of = url.path().split('/').nth(1).unwrap_or_default();
    if asked_by_number && !of.eq_ignore_ascii_case(tenant) {
        return Err(format!("the {what} is of another tenant: {text}"));
    }
    Ok(())
}

/// The issuer in every cloud, of documents without a version.
const COMMON_ISSUER: &str = "sts.windows.net";
const MAX_DOCUMENT: usize = 64 * 1024;
const MAX_URL: usize = 300;
const MAX_FAULT: usize = 400;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::host::{HostName, Scheme};

    const TENANT: &str = "11111111-2222-3333-4444-555555555555";

    fn judged(body: &str) -> Result<(), String> {
        let target = Target {
            scheme: Scheme::Https,
            host: HostName::parse("login.microsoftonline.us").unwrap(),
            port: 443,
            path: format!("/{TENANT}/.well-known/openid-configuration"),
        };
        let mut look = ContentLook { status: None, issuer: None, token_endpoint: None, fault: None };
        read(body.as_bytes(), &target, &mut look)
    }

    fn document(issuer: &str, token: &str) -> String {
        format!(r#"{{"issuer":"{issuer}","token_endpoint":"{token}","other":[1]}}"#)
    }

    #[test]
    fn the_document_agrees_with_the_cloud_and_the_tenant() {
        let issuer = format!("https://sts.windows.net/{TENANT}/");
        let token = format!("https://login.microsoftonline.us/{}/oauth2/token", TENANT.to_uppercase());
        assert_eq!(judged(&document(&issuer, &token)), Ok(()));
        for (body, fault) in [
            (document(&issuer, &token.replace(".us", ".com")), "another cloud"),
            (document("https://sts.windows.net/other/", &token), "another tenant"),
            (document("http://sts.windows.net/x/", &token), "somebody else"),
            (document("nonsense", &token), "no URL"),
            ("<html>Sign in</html>".to_owned(), "no OpenID configuration"),
            ("{}".to_owned(), "missing field"),
        ] {
            let told = judged(&body).unwrap_err();
            assert!(told.contains(fault), "{told}");
        }
    }

    proptest! {
        #[test]
        fn no_document_panics(text in ".*", issuer in "[ -~]*") {
            let _ = judged(&text);
            let _ = judged(&document(&issuer, &issuer));
        }
    }
}
