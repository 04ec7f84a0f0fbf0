//! An application rule collection of Azure Firewall, as an ARM template.
//!
//! `*.example.com` does not hold `example.com`; a wildcard stands left-most only and is plain text, so that
//! `*-x.example.com` also holds deeper names. Ports end at 64000. ARM takes text that begins with `[` for an
//! expression; no text here begins with a value from outside.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::entry::HandOff;
use super::pattern::ListPattern;
use super::plain::names;
use super::{Head, ListEntry, Loss, LossKind, Rendered, loss};
use crate::host::{HostPattern, Scheme};

const LAST_PORT: u16 = 64000;

pub(super) fn render(hand_off: &HandOff, head: &Head<'_>) -> Rendered {
    let all: Vec<&ListEntry> = hand_off.entries.iter().collect();
    let (entries, beyond): (Vec<_>, Vec<_>) = all.into_iter().partition(|entry| entry.port <= LAST_PORT);
    let mut losses = loss::undecided(&hand_off.undecided);
    losses.extend(beyond.into_iter().map(|entry| {
        let detail = format!("{} {}: application rules end at port {LAST_PORT}", entry.scheme, entry.port);
        Loss::new(LossKind::NotExpressible, &entry.pattern, detail)
    }));
    let labels = |name: &&ListPattern| matches!(name, ListPattern::Host(HostPattern::LabelSuffix { .. }));
    losses.extend(names(&entries).into_iter().filter(labels).map(|name| {
        Loss::new(LossKind::Broader, name, "the wildcard is plain text here, and also stands for deeper names")
    }));
    losses.extend(loss::paths(entries.iter().copied()));
    losses.extend(loss::hosts(&entries));
    losses.push(Loss::of_list(LossKind::ByHand, "sourceAddresses: the addresses of the hosts are not known here"));

    let mut groups: BTreeMap<(Scheme, u16), Vec<&ListEntry>> = BTreeMap::new();
    for entry in entries {
        groups.entry((entry.scheme, entry.port)).or_default().push(entry);
    }
    let rules: Vec<Value> = groups.iter().map(|((scheme, port), entries)| rule(*scheme, *port, entries)).collect();
    let text = format!("{:#}\n", template(&rules, &losses, head));
    Rendered { text, losses }
}

fn rule(scheme: Scheme, port: u16, entries: &[&ListEntry]) -> Value {
    let fqdns: Vec<String> = names(entries)
        .into_iter()
        .flat_map(|name| match name {
            ListPattern::Host(pattern) => vec![pattern.to_string()],
            ListPattern::ApexAndSubdomains(apex) => vec![apex.to_string(), format!("*.{apex}")],
        })
        .collect();
    let protocol = match scheme {
        Scheme::Http => "Http",
        Scheme::Https => "Https",
    };
    json!({
        "ruleType": "ApplicationRule",
        "name": format!("configmgr-{scheme}-{port}"),
        "sourceAddresses": "[parameters('sourceAddresses')]",
        "protocols": [{ "protocolType": protocol, "port": port }],
        "targetFqdns": fqdns,
        "terminateTLS": false,
    })
}

fn template(rules: &[Value], losses: &[Loss], head: &Head<'_>) -> Value {
    let mut losses: Vec<&Loss> = losses.iter().collect();
    losses.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    json!({
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "metadata": {
            "description": head.lines("Azure Firewall application rules").join("; "),
            "losses": losses.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        "parameters": {
            "firewallPolicyName": { "type": "string" },
            "sourceAddresses": { "type": "array" },
            "priority": { "type": "int", "minValue": 100, "maxValue": 65000 },
        },
        "resources": [{
            "type": "Microsoft.Network/firewallPolicies/ruleCollectionGroups",
            "apiVersion": "2024-03-01",
            "name": "[format('{0}/configmgr', parameters('firewallPolicyName'))]",
            "properties": {
                "priority": "[parameters('priority')]",
                "ruleCollections": [{
                    "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
                    "name": "configmgr-endpoints",
                    "priority": 100,
                    "action": { "type": "Allow" },
                    "rules": rules,
                }],
            },
        }],
    })
}
