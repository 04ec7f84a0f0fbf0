//! What a host says of itself in the facts that a look from it brought back.

use jiff::Timestamp;

use super::hosts::is_to_come;
use super::{HostFacts, Reading};
use crate::catalog::{DottedVersion, TlsVersion};
use crate::host::HostName;
use crate::vantage::{self, HostFact};

/// Windows Server 2022, the first with TLS 1.3.
const FIRST_WITH_TLS_1_3: u32 = 20_348;
/// Windows 10 and Windows Server 2016 count their builds from here.
const FIRST_OF_10: u32 = 10_240;
/// Windows Server 2012, the first that offers TLS 1.2 unasked.
const FIRST_WITH_TLS_1_2: u32 = 9_200;

impl HostFacts {
    /// What the facts of a look say, which was read then. What they do not hold is not read.
    pub fn seen_there(host: HostName, read: Timestamp, facts: &vantage::HostFacts) -> Self {
        let there = There(facts);
        Self {
            windows: there.windows(),
            net_release: there.parsed("dotnet.release"),
            odbc_driver: there.parsed("odbc.driver18.version"),
            tls_versions: there.tls_versions(),
            tls_suites: there.tls_suites(),
            strong_crypto: there.strong_crypto().collect(),
            roots: there.roots(),
            winhttp_proxy: there.winhttp_proxy(),
            ..Self::unread(host, read)
        }
    }

    /// These, and of `other` what these do not hold. As old as the older one, unless one is still to come: who says such a
    /// thing says nothing, and what is merged with it must not hide that.
    #[must_use]
    pub fn or(self, other: Self, now: Timestamp) -> Self {
        let to_come = [self.read, other.read].into_iter().find(|read| is_to_come(*read, now));
        let mut strong_crypto = other.strong_crypto;
        strong_crypto.extend(self.strong_crypto);
        Self {
            host: self.host,
            read: to_come.unwrap_or(self.read.min(other.read)),
            windows: self.windows.or(other.windows),
            restart_pending: self.restart_pending.or(other.restart_pending),
            net_release: self.net_release.or(other.net_release),
            odbc_driver: self.odbc_driver.or(other.odbc_driver),
            tls_versions: self.tls_versions.or(other.tls_versions),
            tls_suites: self.tls_suites.or(other.tls_suites),
            strong_crypto,
            roots: self.roots.or(other.roots),
            winhttp_proxy: self.winhttp_proxy.or(other.winhttp_proxy),
            update_source: self.update_source.or(other.update_source),
            cloud_contact: self.cloud_contact.or(other.cloud_contact),
        }
    }
}

impl<T> Reading<T> {
    fn or(self, other: Self) -> Self {
        if matches!(self, Self::NotRead) { other } else { self }
    }

    fn and_then<U>(self, parse: impl FnOnce(T) -> Reading<U>) -> Reading<U> {
        match self {
            Self::Known { value } => parse(value),
            Self::Absent => Reading::Absent,
            Self::Unreadable { detail } => Reading::Unreadable { detail },
            Self::NotRead => Reading::NotRead,
        }
    }
}

/// The facts, by their names in `scripts/core/Facts.cs`.
struct There<'a>(&'a vantage::HostFacts);

impl There<'_> {
    fn list(&self, name: &str) -> Reading<Vec<String>> {
        match self.0.get(name) {
            None => Reading::NotRead,
            Some(HostFact::Known { values }) => Reading::Known { value: values.clone() },
            Some(HostFact::Absent) => Reading::Absent,
            Some(HostFact::Unreadable { why }) => Reading::Unreadable { detail: why.clone() },
        }
    }

    fn text(&self, name: &str) -> Reading<String> {
        self.list(name).and_then(|mut values| match (values.pop(), values.is_empty()) {
            (Some(value), true) => Reading::Known { value },
            _ => Reading::Unreadable { detail: format!("{name} has not one value") },
        })
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Reading<T> {
        self.text(name).and_then(|text| match text.parse() {
            Ok(value) => Reading::Known { value },
            Err(_) => Reading::Unreadable { detail: format!("{name} is `{text}`") },
        })
    }

    /// The registry has the build; the two numbers before it follow from that.
    fn windows(&self) -> Reading<DottedVersion> {
        self.parsed::<u32>("os.build").and_then(|build| {
            let name = match build {
                FIRST_OF_10.. => "10.0",
                9_600.. => "6.3",
                FIRST_WITH_TLS_1_2.. => "6.2",
                _ => return Reading::Unreadable { detail: format!("os.build is {build}, which is no known Windows") },
            };
            let version = format!("{name}.{build}").parse().expect("three numbers with dots");
            Reading::Known { value: version }
        })
    }

    /// Whether clients are offered a version: by the registry, and where that is silent as the build of Windows does.
    fn offers(&self, version: &str, by_default: bool) -> Reading<bool> {
        // With a sign, since yes is often written as 0xffffffff.
        let value = |name: &str| self.parsed::<i64>(&format!("schannel.{version}.client.{name}"));
        match (value("enabled"), value("disabled_by_default")) {
            (Reading::Unreadable { detail }, _) | (_, Reading::Unreadable { detail }) => Reading::Unreadable { detail },
            (Reading::NotRead, _) | (_, Reading::NotRead) => Reading::NotRead,
            (Reading::Known { value: 0 }, _) => Reading::Known { value: false },
            (_, Reading::Known { value }) if value != 0 => Reading::Known { value: false },
            (Reading::Absent, Reading::Absent) => Reading::Known { value: by_default },
            _ => Reading::Known { value: true },
        }
    }

    fn tls_versions(&self) -> Reading<Vec<TlsVersion>> {
        self.parsed::<u32>("os.build").and_then(|build| {
            let one_two = self.offers("tls1.2", build >= FIRST_WITH_TLS_1_2);
            let one_three = self.offers("tls1.3", build >= FIRST_WITH_TLS_1_3);
            one_two.and_then(|one_two| {
                one_three.and_then(|one_three| {
                    let offered =
                        [(one_two, TlsVersion::Tls12), (one_three && build >= FIRST_WITH_TLS_1_3, TlsVersion::Tls13)];
                    Reading::Known {
                        value: offered.into_iter().filter(|(on, _)| *on).map(|(_, version)| version).collect(),
                    }
                })
            })
        })
    }

    /// A policy's list comes before the machine's own. Before Windows 10 their names end in a curve.
    fn tls_suites(&self) -> Reading<Vec<String>> {
        let listed = match self.list("schannel.suites.policy") {
            Reading::Absent => self.list("schannel.suites.local"),
            policy => policy,
        };
        listed.and_then(|values| {
            let names = values.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|name| !name.is_empty());
            let bare = |name: &str| {
                let ends = ["_P256", "_P384", "_P521"];
                ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
            };
            Reading::Known { value: names.map(bare).collect() }
        })
    }

    fn strong_crypto(&self) -> impl Iterator<Item = (String, Reading<u32>)> {
        let places = [("64", ""), ("32", r"Wow6432Node\")];
        let versions = [("v2", "v2.0.50727"), ("v4", "v4.0.30319")];
        let values = [("strong_crypto", "SchUseStrongCrypto"), ("system_default_tls", "SystemDefaultTlsVersions")];
        places.into_iter().flat_map(move |(bits, node)| {
            versions.into_iter().flat_map(move |(short, version)| {
                values.into_iter().map(move |(name, value)| {
                    let key = format!(r"{node}Microsoft\.NETFramework\{version}\{value}");
                    (key, self.parsed(&format!("dotnet.{short}.{bits}.{name}")))
                })
            })
        })
    }

    /// Those of the catalog that are there and not forbidden. Both stores count for Windows.
    fn roots(&self) -> Reading<Vec<String>> {
        let stores = ["roots.root", "roots.authroot", "roots.disallowed"].map(|name| self.list(name));
        let [own, third_party, disallowed] = stores.map(|store| match store {
            Reading::Absent => Reading::Known { value: Vec::new() },
            store => store,
        });
        own.and_then(|own| {
            third_party.and_then(|third_party| {
                disallowed.and_then(|disallowed| {
                    let trusted = own.into_iter().chain(third_party).filter(|root| !disallowed.contains(root));
                    Reading::Known { value: trusted.collect() }
                })
            })
        })
    }

    /// `direct`, or a proxy and perhaps ` bypass ` with a list.
    fn winhttp_proxy(&self) -> Reading<String> {
        self.text("proxy.winhttp").and_then(|text| match text.split(' ').next() {
            Some("direct" | "") | None => Reading::Absent,
            Some(proxy) => Reading::Known { value: proxy.to_owned() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there(facts: &[(&str, &[&str])]) -> HostFacts {
        let known = |values: &[&str]| HostFact::Known { values: values.iter().map(ToString::to_string).collect() };
        let mut all: vantage::HostFacts =
            facts.iter().map(|(name, values)| ((*name).to_owned(), known(values))).collect();
        for name in ["enabled", "disabled_by_default"] {
            for version in ["tls1.2", "tls1.3"] {
                all.entry(format!("schannel.{version}.client.{name}")).or_insert(HostFact::Absent);
            }
        }
        HostFacts::seen_there(HostName::parse("cm01.contoso.com").unwrap(), Timestamp::UNIX_EPOCH, &all)
    }

    fn known<T>(value: T) -> Reading<T> {
        Reading::Known { value }
    }

    #[test]
    fn values_keep_their_meaning() {
        let facts = there(&[
            ("os.build", &["20348"]),
            ("dotnet.release", &["528449"]),
            ("odbc.driver18.version", &["18.4.1.1"]),
            ("schannel.suites.policy", &["TLS_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384_P384"]),
            ("dotnet.v4.32.strong_crypto", &["1"]),
            ("roots.root", &["aa"]),
            ("roots.authroot", &["bb", "cc"]),
            ("roots.disallowed", &["cc"]),
            ("proxy.winhttp", &["proxy.contoso.com:8080 bypass <local>"]),
        ]);
        assert_eq!(facts.windows, known("10.0.20348".parse().unwrap()));
        assert_eq!((facts.net_release, facts.odbc_driver), (known(528_449), known("18.4.1.1".parse().unwrap())));
        assert_eq!(facts.tls_versions, known(vec![TlsVersion::Tls12, TlsVersion::Tls13]));
        let suites = ["TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"].map(str::to_owned);
        assert_eq!(facts.tls_suites, known(suites.to_vec()));
        let key = r"Wow6432Node\Microsoft\.NETFramework\v4.0.30319\SchUseStrongCrypto";
        assert_eq!(facts.strong_crypto[key], known(1));
        assert_eq!(facts.roots, known(vec!["aa".to_owned(), "bb".to_owned()]));
        assert_eq!(facts.winhttp_proxy, known("proxy.contoso.com:8080".to_owned()));
    }

    #[test]
    fn versions_of_tls_are_those_of_the_build_unless_the_registry_speaks() {
        let versions = |build: &str, values: &[(&str, &[&str])]| {
            let build = [build];
            there(&[&[("os.build", build.as_slice())], values].concat()).tls_versions
        };
        let one_two = || known(vec![TlsVersion::Tls12]);
        assert_eq!(versions("17763", &[]), one_two());
        assert_eq!(versions("17763", &[("schannel.tls1.3.client.enabled", &["1"])]), one_two(), "it has no TLS 1.3");
        assert_eq!(versions("20348", &[("schannel.tls1.3.client.enabled", &["0"])]), one_two());
        let off: &[(&str, &[&str])] = &[("schannel.tls1.2.client.disabled_by_default", &["1"])];
        assert_eq!(versions("17763", off), known(vec![]));
        assert_eq!(versions("17763", &[("schannel.tls1.2.client.enabled", &["-1"])]), one_two());
        assert!(matches!(versions("x", &[]), Reading::Unreadable { .. }));
    }

    #[test]
    fn what_was_not_read_is_never_absent() {
        let nothing = there(&[]);
        assert_eq!((nothing.windows, nothing.roots), (Reading::NotRead, Reading::NotRead));
        assert_eq!((nothing.tls_versions, nothing.tls_suites), (Reading::NotRead, Reading::NotRead));
        assert_eq!(nothing.winhttp_proxy, Reading::NotRead);
        let half = there(&[("roots.root", &["aa"]), ("roots.authroot", &[])]);
        assert_eq!(half.roots, Reading::NotRead, "it may be among the forbidden ones");
        let odd = there(&[("dotnet.release", &["many"]), ("proxy.winhttp", &["direct"])]);
        assert!(matches!(odd.net_release, Reading::Unreadable { .. }));
        assert_eq!(odd.winhttp_proxy, Reading::Absent);
    }

    #[test]
    fn what_a_person_says_of_a_host_counts_before_what_was_read_there() {
        let read = there(&[("dotnet.release", &["528449"]), ("os.build", &["17763"])]);
        let now = Timestamp::from_second(600_000).unwrap();
        let mut said = HostFacts::unread(read.host.clone(), now);
        said.net_release = Reading::Absent;
        let both = said.clone().or(read.clone(), now);
        assert_eq!((both.net_release, both.windows), (Reading::Absent, read.windows.clone()));
        assert_eq!(both.read, read.read);
        // What is to come stays so, whichever says it.
        said.read = Timestamp::MAX;
        assert_eq!(said.clone().or(read.clone(), now).read, Timestamp::MAX);
        assert_eq!(read.or(said, now).read, Timestamp::MAX);
    }
}
