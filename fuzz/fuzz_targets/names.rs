#![no_main]

use cmcomply::host::{HostName, HostOrAddress, HostPattern};
use cmcomply::probe::ConnectTo;
use cmcomply::site::Server;

libfuzzer_sys::fuzz_target!(|text: &str| {
    for parsed in
        [HostName::parse(text).map(|name| name.to_string()), HostPattern::parse(text).map(|name| name.to_string())]
    {
        if let Ok(name) = parsed {
            assert!(name.bytes().all(|octet| octet.is_ascii_graphic()), "{name}");
        }
    }
    let _ = HostOrAddress::parse(text);
    if let Ok(rule) = text.parse::<ConnectTo>() {
        assert_eq!(rule.to_string().parse(), Ok(rule));
    }
    let _ = Server::parse(text);
});
