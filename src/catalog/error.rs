//! What can be wrong with a catalog: one value for each finding, with its place.

use super::entry::EntryId;

/// One thing that is wrong with a catalog's files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}:{line}: {}{what}; {} [{}]", entry_prefix(.entry.as_ref()), .rule.help(), .rule.code())]
pub struct CatalogError {
    /// The file's name.
    pub file: String,
    /// The line, from one.
    pub line: usize,
    /// The entry, where there is one and its id could be read.
    pub entry: Option<EntryId>,
    /// Which rule is broken.
    pub rule: Rule,
    /// What is wrong, in words.
    pub what: String,
}

fn entry_prefix(entry: Option<&EntryId>) -> String {
    entry.map(|id| format!("entry `{id}`: ")).unwrap_or_default()
}

/// Defines [`Rule`] with a code and a help text for each variant, so that none can be forgotten.
macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $variant:ident, $code:literal, $help:literal;)+) => {
        /// The rules that a catalog must follow.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its stable name: lower-case words joined by hyphens.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What to do when it is broken.
            pub fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)+ }
            }
        }
    };
}

rules! {
    /// A file is missing, given twice, or of another format.
    File, "file", "see the format in the catalog's README";
    /// Not TOML, or a key that is unknown, missing or of the wrong kind.
    Syntax, "syntax", "see the fields in the catalog's README";
    /// Text that is empty, too long or not printable.
    Text, "text", "write one short line of printable text";
    /// Two entries, or two releases, have one name.
    Duplicate, "duplicate", "give each its own name; an id is never used again";
    /// An id or key that is not lower-case words joined by hyphens.
    IdForm, "id-form", "write lower-case letters, digits and single hyphens, at most 64";
    /// A list that needs a member has none, or has one twice.
    List, "list", "name each member once, and at least one";
    /// Neither a host pattern nor a template.
    Endpoint, "endpoint", "write a host, `*.host`, `*-suffix.host` or a template with known variables";
    /// A condition that cannot be understood, names an unknown fact, or can never be true.
    Condition, "condition", "write facts joined by `and`, `or`, `not`, or `always`";
    /// A fact or variable of a role that the entry is not for.
    ForeignFact, "foreign-fact", "give the entry that role alone, or take another fact";
    /// A port that no endpoint has.
    Port, "port", "write ports from 1 to 65535";
    /// A port that belongs to the other scheme.
    SchemePort, "scheme-port", "https is not on 80 or 8530, http not on 443 or 8531";
    /// A port rule without the template variable that feeds it.
    PortRule, "port-rule", "`cmg-instances` needs a cmg variable, `software-update-point` a sup one, `third-party-catalog` its host";
    /// A path that does not start with `/`, has other than printable ASCII, or an unknown variable.
    Path, "path", "write the path from its first `/`, without spaces; its only variable is `{tenant.id}`";
    /// A proxy context that the role never uses.
    Context, "context", "console: console-user; client: client-system; wsus: software update points only";
    /// A TLS rule on what is no TLS, without suites, or with a suite that is no IANA name.
    Tls, "tls", "only https has `tls`; `suites` are IANA names, such as `TLS_AES_128_GCM_SHA256`";
    /// A thumbprint that is none.
    Thumbprint, "thumbprint", "write 40 lower-case hexadecimal digits";
    /// A wildcard without a probe rule.
    WildcardUnproved, "wildcard-unproved", "add `probe` with class, hosts and evidence";
    /// A probe rule where the endpoint itself is probed.
    NeedlessProbe, "needless-probe", "remove `probe`: only wildcards have one";
    /// A representative or related class without hosts.
    ProbeHosts, "probe-hosts", "name the hosts, or use class `not-testable`";
    /// Not testable, and yet with hosts.
    NotTestableHosts, "not-testable-hosts", "remove the hosts, or use another class";
    /// A representative outside of the pattern.
    RepresentativeOutside, "representative-outside", "name a host that the pattern matches, or use class `related`";
    /// A related host inside of the pattern.
    RelatedInside, "related-inside", "use class `representative` for it";
    /// A class that proves nothing on an entry that demands proof.
    UnprovableTier, "unprovable-tier", "only tier `advisory` may have a class that proves nothing";
    /// `replaced_by` that leads nowhere, or to an entry that is itself on its way out.
    Successor, "successor", "name the entry that is needed today";
    /// Superseded without a successor, or a successor of an entry that is needed.
    SupersededAlone, "superseded-alone", "`superseded` and `replaced_by` go together";
    /// A retired entry that demands something.
    RetiredTier, "retired-tier", "a retired entry has tier `advisory`";
    /// The first build is after the last.
    BuildOrder, "build-order", "`since_build` is the first build, `until_build` the last";
    /// A build that is not in the version table.
    UnknownBuild, "unknown-build", "take a build of versions.toml, or add the version there";
    /// A document that the catalog's head does not define, or one without a proper address.
    Document, "document", "define it in catalog.toml under [documents], with an https address";
    /// An entry cites a section that the documentation page does not have.
    Section, "section", "write the section as the page has it; a new one goes into `sections` in catalog.toml";
    /// A source, or the catalog itself, with a day that has not come.
    Future, "future", "write the day of the document's revision, not a later one than the catalog's or today";
    /// An own entry that says what the catalog in this program says already.
    Repeats, "repeats", "remove it: the catalog in this program has it";
    /// An own entry has the id of an entry in this program, and another endpoint.
    Reused, "reused-id", "give it an id of its own; one of this program may only be overridden for its own endpoint";
    /// Two entries say different things of one need.
    Contradiction, "contradiction", "make them one entry, or say in which cloud, role, build or condition they differ";
}
