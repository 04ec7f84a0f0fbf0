//! A proxy auto-configuration script, in the ECMAScript that the oldest engines understand.
//!
//! The product's own helpers are not used: `dnsDomainIs(host, "example.com")` also holds `evilexample.com`.

use super::entry::HandOff;
use super::pattern::ListPattern;
use super::plain::names;
use super::squid::for_a_proxy;
use super::{Head, Loss, LossKind, Rendered, loss};
use crate::derive::Via;
use crate::host::HostPattern;

/// What the script answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacRoutes {
    /// For names of the list.
    pub listed: Via,
    /// For all others. [`Via::Unknown`] leaves a line to be edited, with a proxy that cannot exist.
    pub other: Via,
}

impl Default for PacRoutes {
    /// Listed names direct, for all others a line to be edited.
    fn default() -> Self {
        Self { listed: Via::Direct, other: Via::Unknown }
    }
}

pub(super) fn render(hand_off: &HandOff, head: &Head<'_>) -> Rendered {
    let mut losses = loss::undecided(&hand_off.undecided);
    let entries = for_a_proxy(hand_off, &mut losses);
    losses.extend(loss::ports(&entries));
    losses.extend(loss::paths(entries.iter().copied()));
    losses.extend(loss::hosts(&entries));
    for (name, via) in [("LISTED", &head.pac.listed), ("OTHER", &head.pac.other)] {
        if *via == Via::Unknown {
            losses.push(Loss::new(LossKind::ByHand, name, "put your own proxy into this line"));
        }
    }
    let (mut exact, mut below, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    for name in names(&entries) {
        match name {
            ListPattern::Host(HostPattern::Exact(name)) => exact.push(format!("\"{name}\"")),
            ListPattern::Host(HostPattern::Subdomains(name)) => below.push(format!("\".{name}\"")),
            ListPattern::Host(HostPattern::LabelSuffix { suffix, parent }) => {
                labels.push(format!("[\"{suffix}\", \".{parent}\"]"));
            }
            ListPattern::ApexAndSubdomains(name) => {
                exact.push(format!("\"{name}\""));
                below.push(format!("\".{name}\""));
            }
        }
    }
    let text = format!(
        "{comments}\nvar LISTED = \"{listed}\";\nvar OTHER = \"{other}\";\n\nvar EXACT = {exact};\nvar BELOW = {below};\n\
         var LABEL_END = {labels};\n{FUNCTIONS}",
        comments = head.comments("proxy auto-configuration", &losses, "//"),
        listed = answer(&head.pac.listed),
        other = answer(&head.pac.other),
        exact = array(&exact),
        below = array(&below),
        labels = array(&labels),
    );
    Rendered { text, losses }
}

/// `.invalid` never resolves (RFC 6761): a script that nobody finished lets nothing through by accident.
fn answer(via: &Via) -> String {
    match via {
        Via::Direct => "DIRECT".to_owned(),
        Via::Proxy { host, port } => format!("PROXY {host}:{port}"),
        Via::Unknown => "PROXY proxy.invalid:8080".to_owned(),
    }
}

/// No comma after the last item: old engines count one more item then.
fn array(items: &[String]) -> String {
    if items.is_empty() { "[]".to_owned() } else { format!("[\n  {}\n]", items.join(",\n  ")) }
}

const FUNCTIONS: &str = r#"
function FindProxyForURL(url, host) {
  return isListed(host) ? LISTED : OTHER;
}

function isListed(host) {
  var i, head;
  host = host.toLowerCase();
  if (host.charAt(host.length - 1) === ".") {
    host = host.slice(0, -1);
  }
  for (i = 0; i < EXACT.length; i++) {
    if (host === EXACT[i]) {
      return true;
    }
  }
  for (i = 0; i < BELOW.length; i++) {
    if (endsWith(host, BELOW[i])) {
      return true;
    }
  }
  for (i = 0; i < LABEL_END.length; i++) {
    if (endsWith(host, LABEL_END[i][1])) {
      head = host.slice(0, host.length - LABEL_END[i][1].length);
      if (head.indexOf(".") === -1 && endsWith(head, LABEL_END[i][0])) {
        return true;
      }
    }
  }
  return false;
}

function endsWith(text, end) {
  return text.length > end.length && text.slice(-end.length) === end;
}
"#;
