#!/usr/bin/env bash
# Runs every fuzz target, one after the other, each for so many seconds: fuzz/run.sh 600 [TARGET...]
# Needs a nightly compiler, cargo-fuzz (cargo install cargo-fuzz) and openssl. No sanitizer: the code has nothing unsafe.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds="${1:?seconds for each target}"
shift
seeds="$(mktemp -d)"
trap 'rm -rf "$seeds"' EXIT

# What is nearly right gets further in than noise.
seed() { mkdir -p "$seeds/$1" && cat > "$seeds/$1/$2"; }
mkdir -p "$seeds/certificate" "$seeds/issuers" "$seeds/revocation_list" "$seeds/catalog"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/O=Contoso/CN=a.contoso.com" \
    -addext "subjectAltName=DNS:a.contoso.com,DNS:*.contoso.com" -addext "authorityInfoAccess=OCSP;URI:http://o.contoso.com/" \
    -addext "crlDistributionPoints=URI:http://crl.contoso.com/a.crl" -keyout "$seeds/key.pem" -out "$seeds/ca.pem" 2> "$seeds/said"
openssl x509 -in "$seeds/ca.pem" -outform DER -out "$seeds/certificate/one"
openssl crl2pkcs7 -nocrl -certfile "$seeds/ca.pem" -outform DER -out "$seeds/issuers/one"
touch "$seeds/index"
printf '[ca]\ndefault_ca=a\n[a]\ndatabase=%s/index\ndefault_md=sha256\ndefault_crl_days=30\n' "$seeds" > "$seeds/ca.conf"
openssl ca -gencrl -config "$seeds/ca.conf" -keyfile "$seeds/key.pem" -cert "$seeds/ca.pem" 2>> "$seeds/said" |
    openssl crl -outform DER -out "$seeds/revocation_list/one"
cp catalog/*.toml "$seeds/catalog/"
printf '\0\0\x81\x80\0\1\0\2\0\0\0\0\1a\7contoso\3com\0\0\1\0\1\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1b\xc0\x0e\xc0\x1f\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1' |
    seed dns_reply one
printf 'HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: Basic realm="a, b"\r\n\r\n' | seed connect_reply one
printf 'HTTP/1.1 403 No\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<p>Ab\r\n0\r\n\r\n' | seed http_answer one
printf 'HTTP/1.1 302 Found\r\nLocation: //b.contoso.com/\r\nContent-Length: 0\r\n\r\n' | seed http_answer two
printf 'http://a.contoso.com:8080/x' | seed redirect one
printf '[stated]\ntenant_attach = true\n[proxy]\nclient-system = "direct"\n' | seed settings one
printf '*.contoso.com:443 # x\nhttps://a.contoso.com/\n10.0.0.0/8\n' | seed allow_list one
printf '<h2>Updates</h2><ul><li><code>*.windowsupdate.com</code></li><li><code>https://a.contoso.com</code> &amp;</li></ul>' |
    seed documentation_page one
printf 'a.contoso.com:443:[::1]:8443' | seed names one
printf 'CMCOMPLY-CLIENT/1 00 2026-11-25T18:27:01Z SYSTEM 3 0 okttdp 0123456789abcdef' | seed client_answer one
seed soap one << 'END'
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><s:Header><a:RelatesTo>uuid:AB</a:RelatesTo></s:Header><s:Body><rsp:ReceiveResponse><rsp:Stream Name="stdout" CommandId="C">aGk=</rsp:Stream><rsp:CommandState CommandId="C" State="http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse></s:Body></s:Envelope>
END
for document in ${CMCOMPLY_FUZZ_OBSERVATIONS:+"$CMCOMPLY_FUZZ_OBSERVATIONS"}; do seed observations one < "$document"; done
for document in ${CMCOMPLY_FUZZ_SEEN:+"$CMCOMPLY_FUZZ_SEEN"}; do seed script_answer one < "$document"; done
for document in ${CMCOMPLY_FUZZ_RUN:+"$CMCOMPLY_FUZZ_RUN"}; do seed run one < "$document"; done
for document in ${CMCOMPLY_FUZZ_SNAPSHOT:+"$CMCOMPLY_FUZZ_SNAPSHOT"}; do seed snapshot one < "$document"; done

[ $# -gt 0 ] || set -- $(sed -n 's/^name = "\(.*\)"$/\1/p' fuzz/Cargo.toml | grep -v cmcomply-fuzz)
for target in "$@"; do
    printf '\n=== %s, %s s\n' "$target" "$seconds"
    mkdir -p "fuzz/corpus/$target" "$seeds/$target"
    cargo +nightly fuzz run --sanitizer none "$target" "fuzz/corpus/$target" "$seeds/$target" -- \
        "-max_total_time=$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
        2> "$seeds/said" || { tail -40 "$seeds/said"; exit 1; }
    grep -E '^#[0-9]+.*DONE|number_of_executed_units|peak_rss' "$seeds/said"
done
