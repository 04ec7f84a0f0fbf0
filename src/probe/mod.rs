//! Probing: what this machine sees of an endpoint, layer by layer.
//!
//! Each layer has its file and hands on what it opened: `dns` addresses, `tcp` a stream, `proxy` a tunnel in it, `tls` a
//! session over it, `trust` a judgement of its chain, `http` one answer. `schedule` says which probe
//! runs when, `engine` walks each one through its layers, `again` says which failures get another try. Afterwards,
//! `revocation` fetches the lists that the served certificates name, by way of `document`. `addresses` only resolves,
//! for those who need a list of addresses. `elsewhere` puts into words what a machine without this program saw.

mod addresses;
mod again;
mod author;
mod block_page;
mod bundle;
mod chain;
mod crl;
mod der;
mod dns;
mod dns_client;
mod document;
pub(crate) mod elsewhere;
mod engine;
pub mod further;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod gates;
mod http;
mod issuers;
mod layer;
mod machine_roots;
mod observation;
mod ocsp;
mod oddity;
mod origin;
mod proxy;
mod proxy_product;
mod public_roots;
mod redirect;
pub mod revocation;
mod route;
mod schedule;
mod settings;
mod shown;
mod sign_in;
mod tcp;
mod tls;
mod trust;
mod ways;

pub use addresses::{Resolved, addresses};
pub(crate) use dns::judge_again;
pub use document::DocumentEvidence;
pub use engine::{SetupError, run};
pub use further::Further;
pub(crate) use http::Wire;
pub(crate) use layer::io_words;
pub(crate) use machine_roots::machine_verifier;
pub use observation::{
    Certificate, ConnectEvidence, Failure, FailureCode, FetchedIssuer, Header, HttpEvidence, Issuance, NameAnswer,
    NameEvidence, Observation, Outcome, Stage, StageName, TcpAttempt, TcpEvidence, TlsEvidence, TrustEvidence, Try,
};
pub use ocsp::{OcspContents, OcspStatus};
pub use oddity::{Oddity, OddityKind};
pub(crate) use origin::publicly_certified;
pub use proxy_product::proxy_product;
pub(crate) use public_roots::public_root_marks;
pub use redirect::Redirect;
pub use revocation::{RevocationContents, RevocationEvidence, RevocationKind, RevocationList};
pub use settings::{Bounds, Checks, ConnectTo, ConnectToError, Deadlines, Settings, raise_open_files};
pub use sign_in::{ProxyAccount, ProxyAccounts};
pub(crate) use tls::provider as crypto_provider;
pub use ways::Ways;

/// Who we are to proxies and servers.
pub(crate) const USER_AGENT: &str = concat!("cmcomply/", env!("CARGO_PKG_VERSION"));
