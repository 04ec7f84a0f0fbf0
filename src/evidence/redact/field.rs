//! What is done with the texts of which field.

/// What is done with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It is a word of a closed set, a moment or a version: nothing of a customer's.
    Plain,
    /// cmcomply composed it: the names in it are replaced.
    Composed,
    /// A host.
    Host,
    /// A site code.
    Site,
    /// An address of a document.
    Url,
    /// The path of an address.
    Path,
    /// A hash.
    Hash,
    /// The name of a certificate: hidden, and so is each of its words elsewhere.
    Name,
    /// The product of a proxy: a name of our table, or in quotes what the proxy called itself, which is hidden.
    Product,
    /// Hidden behind a pseudonym for the whole of it.
    Hidden,
    /// An address, or a word of a closed set among texts that name something: its form stays.
    Form,
    /// A value of a fact of a host: a word of a closed set or a number, else hidden.
    Fact,
    /// Hidden without one: what an error said.
    Gone,
}

/// Closed sets, moments, versions.
const PLAIN: [&str; 55] = [
    "waivers.on",
    "collected",
    "first_answer",
    "grouped_by",
    "last_answer",
    "redirect.why",
    "unreached.why",
    "evidence_grade",
    "alpn",
    "answer",
    "approved_on",
    "basis",
    "category",
    "class",
    "code",
    "context",
    "contexts",
    "date",
    "decision",
    "facts_read",
    "finished",
    "format",
    "grade",
    "idle.end",
    "in_product",
    "inspection",
    "issuance",
    "kind",
    "method",
    "min_version",
    "next_update",
    "not_after",
    "not_before",
    "os",
    "outcome",
    "problem",
    "produced_at",
    "record",
    "response_code",
    "role",
    "scheme",
    "stage",
    "started",
    "status",
    "suite",
    "suites",
    "target_version",
    "this_update",
    "tier",
    "tool.name",
    "valid_through",
    "verb",
    "verdict",
    "version",
    "revoked_at",
];
/// What cmcomply composed, and what names endpoints.
const COMPOSED: [&str; 36] = [
    "used",
    "asked",
    "canonical_names",
    "connect_to",
    "dns_server",
    "document",
    "documents",
    "endpoint",
    "entry",
    "evidence",
    "id",
    "incomplete",
    "missing",
    "name",
    "note",
    "notes",
    "path",
    "pattern",
    "probe",
    "probes",
    "reasons",
    "redirected_from",
    "remedy",
    "replaced_by",
    "requirement",
    "requirements",
    "resolver",
    "roots",
    "route.detail",
    "section",
    "sources",
    "suffix",
    "template",
    "text",
    "title",
    "when",
];
const HOSTS: [&str; 3] = ["host", "hosts", "machine"];
const URLS: [&str; 5] = ["crl_urls", "issuer_urls", "ocsp_urls", "token_endpoint", "url"];
const HASHES: [&str; 5] = ["plan_sha256", "extra_roots", "ocsp_request", "public_roots", "sha256"];
const NAMES: [&str; 4] = ["issuer", "named_by", "names", "subject"];

/// The treatment of a text at this place of the document.
pub(super) fn treatment(path: &[String]) -> Treatment {
    let last = path.last().map_or("", String::as_str);
    let before = path.len().checked_sub(2).and_then(|at| path.get(at)).map_or("", String::as_str);
    let both = format!("{before}.{last}");
    let listed = |list: &[&str]| list.contains(&last) || list.contains(&both.as_str());
    match (before, last) {
        // Whether a fact of a host is known; what it is, or why it could not be read, was said there.
        (_, "state") if matches!(path, [vantages, facts, _, _] if vantages == "vantages" && facts == "facts") => {
            Treatment::Plain
        }
        (_, "values") if matches!(path, [vantages, facts, _, _] if vantages == "vantages" && facts == "facts") => {
            Treatment::Fact
        }
        ("to", "path") => Treatment::Path,
        (_, "via" | "address" | "addresses") => Treatment::Form,
        ("waivers", "id") => Treatment::Hidden,
        ("stated_proxies", _) => Treatment::Composed,
        (_, "product") => Treatment::Product,
        (_, "site") => Treatment::Site,
        _ if listed(&COMPOSED) => Treatment::Composed,
        (_, "detail") => Treatment::Gone,
        _ if listed(&PLAIN) => Treatment::Plain,
        _ if listed(&HOSTS) => Treatment::Host,
        _ if listed(&URLS) => Treatment::Url,
        _ if listed(&HASHES) => Treatment::Hash,
        _ if listed(&NAMES) => Treatment::Name,
        _ => Treatment::Hidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &[&str]) -> Treatment {
        treatment(&path.iter().map(|&part| part.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_nobody_thought_of_is_hidden() {
        assert_eq!(of(&["observations", "account_of_tomorrow"]), Treatment::Hidden);
        assert_eq!(of(&["waivers", "list", "waivers", "owner"]), Treatment::Hidden);
        assert_eq!(of(&["observations", "http", "evidence", "headers", "value"]), Treatment::Hidden);
        assert_eq!(of(&["observations", "tls", "failure", "detail"]), Treatment::Gone);
        assert_eq!(of(&["requirements", "route", "detail"]), Treatment::Composed);
        assert_eq!(of(&["observations", "tls", "evidence", "chain", "subject"]), Treatment::Name);
        assert_eq!(of(&["requirements", "subject", "host"]), Treatment::Host);
        assert_eq!(of(&["vantages", "unreached", "why"]), Treatment::Plain);
        assert_eq!(of(&["vantages", "facts", "roots.root", "why"]), Treatment::Hidden);
        assert_eq!(of(&["vantages", "facts", "roots.root", "state"]), Treatment::Plain);
        assert_eq!(of(&["vantages", "facts", "proxy.winhttp", "values"]), Treatment::Fact);
        assert_eq!(of(&["requirements", "route", "via"]), Treatment::Form);
        assert_eq!(of(&["observations", "connect", "evidence", "product"]), Treatment::Product);
    }
}
