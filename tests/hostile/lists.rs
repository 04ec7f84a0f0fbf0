//! Revocation lists that mean harm.

use cmcomply::probe::{FailureCode, Outcome};
use lab::internet::{Hostile, Talk};

use super::probing::Job;

/// The largest document that is read, and what reading one may cost besides, in KiB.
const ROOM: u64 = 64 * 1024;
const LARGEST: usize = 16 << 20;

#[test]
fn revocation_lists() {
    use FailureCode as C;
    let serve = |headers: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        Talk::Say([head.as_bytes(), body].concat())
    };
    let zipped = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xec\xc1\x01\x01\0\0\0\x80\x90\xfe\xaf\xee\x08\x0a\0\0".repeat(1000);
    let nested: Vec<u8> = [0x30, 0x80].repeat(LARGEST / 2);
    let endless = |head: &str, again: &[u8]| Talk::Endless(head.as_bytes().to_vec(), again.to_vec());
    let chunk = [b"1000\r\n".as_slice(), &[0x30; 0x1000], b"\r\n"].concat();
    let no_list = Some((C::DocumentInvalid, "no revocation list"));
    let rows = [
        ("entries", serve("", &list(700_000, true)), None),
        ("broken-entries", serve("", &list(700_000, false)), no_list),
        ("nested", serve("", &nested), no_list),
        ("zipped", serve("Content-Encoding: gzip\r\n", &zipped), no_list),
        ("harmful", serve("", b"\x30\x82\x01\x00\x1b[2J\xff\0"), no_list),
        ("empty", serve("", b""), no_list),
        (
            "chunks",
            endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &chunk),
            Some((C::DocumentTooLarge, "16777216")),
        ),
        (
            "chunk-size",
            endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"f"),
            Some((C::HttpProtocol, "")),
        ),
        ("headers", endless("HTTP/1.1 200 OK\r\n", b"X-Filler: on\r\n"), Some((C::HttpProtocol, ""))),
    ];
    // One after the other, so that the memory is that of one list.
    for (name, talk, failure) in rows {
        let hostile = Hostile::new();
        let mut job = Job::new(Vec::new());
        job.lists = vec![format!("http://{name}.contoso.com/x.crl")];
        job.connect_to = vec![format!("::127.0.0.1:{}", hostile.http(talk).port())];
        let done = job.do_apart(&[]);
        let fetch = &done.lists[0].fetch;
        match (failure, &fetch.failure) {
            (None, None) => assert_eq!(fetch.outcome, Outcome::Ok, "{name}: {fetch:?}"),
            (Some((code, words)), Some(seen)) => {
                assert!(seen.code == code && seen.detail.contains(words), "{name}: {fetch:?}");
                assert_eq!(seen.detail, cmcomply::text::printable(&seen.detail, usize::MAX), "{name}");
            }
            _ => panic!("{name}: {fetch:?}"),
        }
        assert!(done.grown_by < ROOM, "{name}: {} KiB", done.grown_by);
    }
}

/// A list with so many entries; they are what they should be, or all of one tag.
fn list(entries: usize, sound: bool) -> Vec<u8> {
    const ALGORITHM: &[u8] = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
    let issuer = tlv(0x30, &tlv(0x31, &tlv(0x30, b"\x06\x03\x55\x04\x03\x0c\x07Contoso")));
    let entry = if sound { &b"\x30\x12\x02\x01\x07\x17\x0d250101000000Z"[..] } else { b"\x05\x00" };
    let tbs = [
        b"\x02\x01\x01".as_slice(),
        ALGORITHM,
        &issuer,
        b"\x17\x0d250101000000Z",
        b"\x17\x0d490101000000Z",
        &tlv(0x30, &entry.repeat(entries)),
    ];
    tlv(0x30, &[tlv(0x30, &tbs.concat()), ALGORITHM.to_vec(), b"\x03\x02\x00\x00".to_vec()].concat())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], length.as_slice(), content].concat()
}
