//! Another connection on the way of a probe.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::host::Scheme;
use crate::plan::Probe;
use crate::probe::http::{self, Answer, Question, Wire};
use crate::probe::layer::io_words;
use crate::probe::route::Route;
use crate::probe::tcp::code_of;
use crate::probe::trust::Trust;
use crate::probe::{Failure, FailureCode, ProxyAccount, Settings, sign_in, tls};

/// The way of a probe that got through, to be gone again.
pub(in crate::probe) struct Line<'a> {
    pub(in crate::probe) probe: &'a Probe,
    pub(in crate::probe) route: &'a Route,
    pub(in crate::probe) address: SocketAddr,
    pub(in crate::probe) settings: &'a Settings,
    /// For the proxy.
    pub(in crate::probe) account: Option<&'a ProxyAccount>,
    pub(in crate::probe) provider: Arc<CryptoProvider>,
    pub(in crate::probe) tls: &'a tls::Client,
    pub(in crate::probe) trust: &'a Trust,
}

impl Line<'_> {
    /// TCP, and the tunnel of a proxy in it.
    pub(super) async fn tunnel(&self) -> Result<TcpStream, Failure> {
        let limits = &self.settings.deadlines;
        let operation = format!("connect to {} once more", self.address);
        let stream = match timeout(limits.tcp, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                let code = code_of(&error, self.address);
                return Err(Failure::new(code, &format!("{operation}: {}", io_words(&error))));
            }
            Err(_) => return Err(Failure::silence(FailureCode::TcpTimeout, &operation, limits.tcp)),
        };
        let target = &self.probe.target;
        if self.route.has_tunnel() {
            return sign_in::tunnel(stream, self.address, target, self.account, limits.connect).await.result;
        }
        Ok(stream)
    }

    /// TLS whose chain this machine trusts.
    pub(super) async fn session(&self) -> Result<TlsStream<TcpStream>, Failure> {
        let limits = &self.settings.deadlines;
        let host = &self.probe.target.host;
        let (session, chain) = self.tls.handshake(self.tunnel().await?, self.address, host, limits.tls).await.result?;
        self.trust.judge(chain, host, &self.probe.via, limits.trust).await.result?;
        Ok(session)
    }

    /// What carries HTTP.
    async fn wire(&self) -> Result<Box<dyn Wire>, Failure> {
        Ok(match self.probe.target.scheme {
            Scheme::Http => Box::new(self.tunnel().await?),
            Scheme::Https => Box::new(self.session().await?),
        })
    }

    /// Asks one question on a connection of its own.
    pub(super) async fn ask(&self, question: &Question<'_>) -> Result<Answer, Failure> {
        let wire = self.wire().await?;
        self.ask_on(wire, question).await
    }

    /// Asks one question on this connection.
    pub(super) async fn ask_on(&self, wire: Box<dyn Wire>, question: &Question<'_>) -> Result<Answer, Failure> {
        let by_proxy = self.route.proxied && !self.route.has_tunnel();
        http::ask(wire, &self.probe.target, by_proxy, self.settings.deadlines.http, question).await
    }

    /// How long one handshake may take.
    pub(super) fn patience(&self) -> Duration {
        self.settings.deadlines.tls
    }
}
