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
    for word in ["cm01", "contoso", "ps1", "tailspin", "toys", "10.1.2.3", "fe80"] {
        assert!(!lower.contains(word), "{word}: {hidden}");
    }
    for word in [
        "ask for ",
        "-> download.microsoft.com:443 (TCP) at 192.0.2.1:8080, [2001:db8::1]:80",
        "*.manage.microsoft.com",
    ] {
        assert!(hidden.contains(word), "{word}: {hidden}");
    }
    assert_eq!(words.composed(text), hidden);
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

#[test]
fn a_machine_with_a_short_name_is_hidden_too() {
    let key = [7; 32];
    let mut names = Pseudonyms::new(&key);
    names.host(&HostName::parse("vm").unwrap());
    let mut words = Words::new(names);
    words.order();
    let text = "issued by somebody whom vm does not trust; VM has no route to 10 addresses, vmware has";
    let hidden = words.composed(text);
    assert!(!hidden.contains(" vm ") && !hidden.contains("VM "), "{hidden}");
    assert!(hidden.ends_with("has no route to 10 addresses, vmware has"), "{hidden}");
}
