//! Whether an observation shows what it says. One rule for what the script brings back, what another cmcomply wrote, and
//! what stands in a run: nothing counts as in order of which nothing was seen.

use super::chain::MAX_NAMES;
use super::route::Route;
use super::{Certificate, ConnectTo, FailureCode, Observation, Outcome, Stage, TcpAttempt};
use crate::derive::Via;
use crate::host::{HostName, HostOrAddress, Scheme};
use crate::plan::Target;

impl Observation {
    /// What in it is called in order, or left out, and does not show, as a look at this target on this route.
    pub(crate) fn unshown(&self, target: &Target, via: &Via) -> Option<&'static str> {
        self.walk(target, via).err()
    }

    /// Stage after stage until the first that is not in order: nothing is claimed of those after it.
    fn walk(&self, target: &Target, via: &Via) -> Result<(), &'static str> {
        let secure = target.scheme == Scheme::Https;
        let given = match via {
            Via::Direct => false,
            Via::Proxy { host, .. } => matches!(host, HostOrAddress::Address(_)),
            Via::Unknown => return Err("its route is unknown"),
        };
        let tunnel = secure && *via != Via::Direct;
        // A rule of --connect-to may give the address too.
        let given = given || self.name.evidence.as_ref().is_some_and(|name| name.connect_to.is_some());
        let resolved = self.name.evidence.as_ref().is_some_and(|name| !name.addresses.is_empty());
        match self.name.outcome {
            Outcome::NotNeeded if !given => return Err("its name was left out"),
            Outcome::NotNeeded | Outcome::Ok if !resolved => return Err("a name without an address"),
            Outcome::NotNeeded | Outcome::Ok => {}
            _ => return Ok(()),
        }
        let attempts = self.tcp.evidence.as_ref().map_or(&[][..], |tcp| &tcp.attempts);
        let opened = attempts.iter().any(opened);
        let served = self.tls.evidence.as_ref().is_some_and(|tls| !tls.chain.is_empty());
        let in_order = stage(&self.tcp, true, |_| opened, "a connection that no address opened")?
            && stage(&self.connect, tunnel, |proxy| is_success(proxy.status), "a tunnel that no proxy opened")?
            && stage(&self.tls, secure, |_| true, "")?
            && stage(&self.trust, secure, |_| served, "a certificate that nobody served")?
            && stage(&self.http, true, |http| http.status.is_some() && http.block_page.is_none(), "no answer")?;
        if in_order && !attempts.iter().any(|attempt| attempt.failure.is_none()) {
            return Err("every connection was reset, and an answer came");
        }
        Ok(())
    }

    /// Whether it was somewhere else than this target on this route and these rules lead: another name was asked for,
    /// another address or port was dialled, or the certificate that was trusted is for another name.
    pub(crate) fn astray(&self, target: &Target, via: &Via, rules: &[ConnectTo]) -> Option<&'static str> {
        let Some(route) = Route::to(target.scheme, &target.host, target.port, via, rules) else {
            return Some("its route is unknown");
        };
        let trusted = self.trust.outcome == Outcome::Ok;
        let leaf = self.tls.evidence.as_ref().and_then(|tls| tls.chain.first()).filter(|_| trusted);
        if leaf.is_some_and(|leaf| !is_for(leaf, &target.host)) {
            return Some("a certificate for another name is called in order");
        }
        let name = self.name.evidence.as_ref()?;
        if name.connect_to != route.rule {
            return Some("its way is not the one of its settings");
        }
        let asked = match (&route.dial, self.name.outcome) {
            (HostOrAddress::Address(address), Outcome::NotNeeded) => name.addresses == [*address],
            (HostOrAddress::Address(_), _) | (_, Outcome::NotNeeded) => false,
            (HostOrAddress::Name(host), _) => HostName::parse(&name.asked).is_ok_and(|asked| asked == *host),
        };
        if !asked {
            return Some("another name was asked for");
        }
        let known = |attempt: &TcpAttempt| {
            let address = attempt.address.ip().to_canonical();
            attempt.address.port() == route.port && name.addresses.iter().any(|known| known.to_canonical() == address)
        };
        let attempts = self.tcp.evidence.as_ref().map_or(&[][..], |tcp| &tcp.attempts);
        (!attempts.iter().all(known)).then_some("another address or port was dialled than the name has")
    }
}

/// Whether the stage is in order, and the next one counts. Where it is needed, it `shows` that; else it was left out.
fn stage<E>(
    stage: &Stage<E>,
    needed: bool,
    shows: impl Fn(&E) -> bool,
    else_what: &'static str,
) -> Result<bool, &'static str> {
    match (stage.outcome, &stage.evidence) {
        (Outcome::NotNeeded, _) if !needed => Ok(true),
        (Outcome::NotNeeded, _) => Err("a stage was left out"),
        (Outcome::Ok, _) if !needed => Err("a stage that has no place there"),
        (Outcome::Ok, None) => Err("a stage is in order, and nothing was seen"),
        (Outcome::Ok, Some(seen)) if !shows(seen) => Err(else_what),
        (Outcome::Ok, Some(_)) if stage.failure.is_some() => Err("a stage is in order, and failed"),
        (Outcome::Ok, Some(_)) => Ok(true),
        (Outcome::Failed | Outcome::NotTried | Outcome::Cancelled, _) => Ok(false),
    }
}

/// A connection that was reset was open.
fn opened(attempt: &TcpAttempt) -> bool {
    attempt.failure.as_ref().is_none_or(|failure| failure.code == FailureCode::TcpReset)
}

fn is_success(status: Option<u16>) -> bool {
    status.is_some_and(|status| (200..300).contains(&status))
}

/// Whether the certificate may be one for the host. Windows takes the common name where there are no other names, and of
/// a certificate with very many names not all are kept.
fn is_for(leaf: &Certificate, host: &HostName) -> bool {
    let common = leaf.subject.split(", ").filter_map(|part| part.trim().strip_prefix("CN="));
    match leaf.names.len() {
        0 => leaf.not_after.is_none() || common.into_iter().any(|name| fits(name, host)),
        MAX_NAMES.. => true,
        _ => leaf.names.iter().any(|name| fits(name, host)),
    }
}

/// Whether a name of a certificate is for the host: itself, or a wildcard in the place of its first label.
fn fits(name: &str, host: &HostName) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let (host, rest) = (host.as_str(), host.as_str().split_once('.').map(|(_, rest)| rest));
    name == host || name.strip_prefix("*.").is_some_and(|name| Some(name) == rest)
}

#[cfg(test)]
mod tests;
