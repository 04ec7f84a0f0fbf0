use super::*;

#[test]
fn composed_texts_keep_what_is_public() {
    let key = [7; 32];
    let mut names = Pseudonyms::new(&key);
    names.host(&HostName::parse("cm01.contoso.com").unwrap());
    names.site("PS1");
    let mut words = Words::new(names);
    words.names_in("O=Tailspin Toys, CN=Tailspin Inspection CA");
    words.order();
    let text = "ask for CM01.contoso.com of PS1 -> download.microsoft.com:443 (TCP) at 10.1.2.3:8080, [fe80::1]:80; \
                issued by \"O=Tailspin Toys, CN=Tailspin Inspection CA\", see tailspin-gw and cm01; *.manage.microsoft.com";
    let hidden = words.composed(text);
    let lower = hidden.to_lowercase();
    for word in ["cm01", "contoso", "ps1", "tailspin", "toys", "10.1.2.3", "fe80::1]"] {
        assert!(!lower.contains(word), "{word}: {hidden}");
    }
    for word in ["ask for ", "-> download.microsoft.com:443 (TCP) at 10.", "*.manage.microsoft.com"] {
        assert!(hidden.contains(word), "{word}: {hidden}");
    }
    assert!(hidden.contains(":8080, [fe80::") && hidden.contains("]:80; issued by"), "{hidden}");
    assert_eq!(words.composed(text), hidden);
}

#[test]
fn addresses_are_told_apart_and_compared() {
    let key = [7; 32];
    let mut words = Words::new(Pseudonyms::new(&key));
    // A certificate may name one.
    words.names_in("10.1.2.3");
    words.order();
    let one = words.composed("10.1.2.3");
    assert!(one.starts_with("10.") && one != "10.1.2.3", "{one}");
    assert_eq!(words.hidden_name("10.1.2.3"), one);
    let text =
        words.composed("10.1.2.3:443 and 10.1.2.4, 127.0.0.1, ::1, 13.107.4.50; at last 2620:1ec::7. And fd00:1::9:");
    assert!(text.starts_with(&format!("{one}:443 and 10.")), "{text}");
    let other = text.split(" and ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    assert!(other != one && other != "10.1.2.4", "{text}");
    assert!(text.contains(", 127.0.0.1, ::1, 2"), "{text}");
    assert!(text.contains("at last 2001:db8::") && text.contains(". And fd00::") && text.ends_with(':'), "{text}");
    for real in ["10.1.2.4", "13.107.4.50", "1ec", "fd00:1:"] {
        assert!(!text.contains(real), "{real}: {text}");
    }
    // A year later, under the same key.
    assert_eq!(Words::new(Pseudonyms::new(&key)).composed("10.1.2.3"), one);
}

#[test]
fn what_is_no_host_name_hides_its_labels() {
    let key = [7; 32];
    let mut names = Pseudonyms::new(&key);
    names.host(&HostName::parse("cm01.contoso.com").unwrap());
    let mut words = Words::new(names);
    words.order();
    let hidden = words.composed("not büro.contoso.com, -contoso.cm01.x, but 5.00.9146.1000");
    assert!(!hidden.contains("contoso") && !hidden.contains("cm01"), "{hidden}");
    assert!(hidden.contains("büro.") && hidden.ends_with("5.00.9146.1000"), "{hidden}");
}
