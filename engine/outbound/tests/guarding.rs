//! Which addresses requests may go to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde_json::json;
use url::Url;

use super::super::address::{PrivateHosts, Reach};
use super::super::{Forgetful, guard};
use super::bench::{Bench, HEADER, shown};
use super::server::{Answer, Server};
use crate::interpret::Called;

fn hosts(written: &[&str]) -> PrivateHosts {
    PrivateHosts::parse(written.iter().copied()).expect("hosts")
}

/// How a host that stands in an address is judged: by what the address reader makes of it.
fn is_refused(allowed: &PrivateHosts, host: &str, reach: Reach) -> bool {
    let url = Url::parse(&format!("https://{host}/")).expect(host);
    guard::check(allowed, &url, reach).is_err()
}

#[test]
fn no_address_outside_the_public_network_is_reached_however_it_is_spelt() {
    let refused = [
        "127.0.0.1",
        "127.1",
        "127.255.255.254",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.01",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
        "0.0.0.0",
        "0",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "169.254.1.1",
        "169.254.169.254",
        "169.254.170.2",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "168.63.129.16",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:10.0.0.1]",
        "[::127.0.0.1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fd20:ce::254]",
        "[ff02::1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2001::1]",
        "[2001:db8::1]",
        "[2002:7f00:1::]",
        "[100::1]",
    ];
    for host in refused {
        assert!(is_refused(&hosts(&[]), host, Reach::Public), "{host}");
    }
    let public = [
        "9.9.9.9",
        "100.63.0.1",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.0.1",
        "[2620:fe::fe]",
        "[2a00:1450::1]",
    ];
    for host in public {
        assert!(!is_refused(&hosts(&[]), host, Reach::Public), "{host}");
    }
}

#[test]
fn an_admin_names_what_may_be_reached_and_no_more() {
    // What is allowed, the name and the address of a request, and whether it may be sent.
    let cases = [
        ("10.1.2.3", "any.example", "10.1.2.3", true),
        ("10.1.2.3", "any.example", "10.1.2.4", false),
        ("10.1.2.3", "any.example", "::ffff:10.1.2.3", true),
        ("10.1.0.0/16", "any.example", "10.1.255.1", true),
        ("10.1.0.0/16", "any.example", "10.2.0.1", false),
        ("0.0.0.0/0", "any.example", "10.2.0.1", true),
        ("0.0.0.0/0", "any.example", "::1", false),
        ("fd00::/8", "any.example", "fdab::1", true),
        ("fd00::/8", "any.example", "fc00::1", false),
        ("[::1]", "localhost", "::1", true),
        ("erp.internal", "erp.internal", "10.9.9.9", true),
        ("ERP.internal.", "erp.INTERNAL", "10.9.9.9", true),
        ("erp.internal", "not-erp.internal", "10.9.9.9", false),
        ("erp.internal", "erp.internal.example", "10.9.9.9", false),
        // Credentials of a cloud are not handed out by a name or by a range.
        ("erp.internal", "erp.internal", "169.254.169.254", false),
        ("169.254.0.0/16", "any.example", "169.254.169.254", false),
        ("169.254.0.0/16", "any.example", "169.254.1.1", true),
        ("64:ff9b::/96", "any.example", "64:ff9b::a9fe:a9fe", false),
        ("64:ff9b::/96", "any.example", "64:ff9b::808:808", true),
        ("169.254.169.254", "any.example", "169.254.169.254", true),
        ("fd00::/8", "any.example", "fd00:ec2::254", false),
        ("fd00:ec2::254", "any.example", "fd00:ec2::254", true),
        ("fd00::/8", "any.example", "fd20:ce::254", false),
        ("fd20:ce::254", "any.example", "fd20:ce::254", true),
    ];
    for (written, name, address, expected) in cases {
        let address: IpAddr = address.parse().expect("an address");
        let allows = hosts(&[written]).allows(name, address, Reach::Public);
        assert_eq!(allows, expected, "{written}: {name} at {address}");
    }
    let metadata: IpAddr = "169.254.169.254".parse().expect("an address");
    assert!(!hosts(&[]).allows("x", metadata, Reach::Private));
}

#[test]
fn what_is_no_host_is_not_taken_for_one() {
    for written in [
        "",
        "10.1.2",
        "0x7f000001",
        "10.0.0.0/33",
        "10.0.0.0/x",
        "erp/24",
        "https://erp.internal",
        "erp.internal:80",
        "*.internal",
    ] {
        let why = PrivateHosts::parse([written]).expect_err(written);
        assert!(why.contains("is no host"), "{why}");
    }
}

#[test]
fn of_a_names_addresses_only_the_allowed_ones_are_connected_to() {
    let found = |addresses: &[&str]| -> Vec<SocketAddr> {
        let parsed = addresses
            .iter()
            .map(|text| text.parse().expect("an address"));
        parsed.collect()
    };
    let judged = |addresses: &[&str]| {
        let found = found(addresses);
        guard::only_allowed(
            &hosts(&[]),
            "vendor.example",
            found.into_iter(),
            Reach::Public,
        )
    };
    let only = judged(&["10.0.0.1:0", "9.9.9.9:0", "[::1]:0"]).expect("one is left");
    assert_eq!(only, found(&["9.9.9.9:0"]));
    // The next look-up of the same name is judged anew.
    let why = judged(&["10.0.0.1:0"]).expect_err("none is left");
    assert!(why.to_string().contains("`vendor.example`"), "{why}");
    assert!(judged(&[]).expect("no address is no refusal").is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed_wherever_it_leads() {
    let elsewhere = Server::always(200, r#"{"id":1}"#).await;
    let to = elsewhere.url.clone();
    for status in [301, 302, 303, 307, 308] {
        let line: &'static str = Box::leak(format!("Location: {to}/\r\n").into_boxed_str());
        let vendor = Server::start(move |_, _| Answer::Reply(status, line, String::new())).await;
        let actions = "\
actions: { look: { title: Look, effect: read, request: { get: /look }, output: {} } }";
        let bench = Bench::new(&format!("{HEADER}{actions}"), &vendor.url).await;
        let Called::Failed { failure, retry } = bench.ended("look", json!({})).await else {
            panic!("a redirect is no success");
        };
        assert_eq!((failure.status, retry), (Some(status), None));
        assert_eq!(vendor.seen().len(), 1);
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn the_base_url_of_a_token_and_the_tokens_own_address_are_guarded_too() {
    let vendor = Server::always(
        200,
        r#"{"access_token":"t-0123456789","at":"http://127.1"}"#,
    )
    .await;
    let connector = r#"
title: Vendor
connection: { base_url: string, key: { type: string, secret: true } }
base_url: "{{connection.base_url}}"
sign_in:
  oauth2:
    grant: client_credentials
    token: "{{connection.base_url}}/token"
    client_id: id
    client_secret: "{{connection.key}}"
    base_url: $.reply.body.at
actions: { look: { title: Look, effect: read, request: { get: /look }, output: {} } }
"#;
    let connections = format!(
        "connections: {{ vendor: {{ base_url: '{}', key: {{ env: KEY }} }} }}",
        vendor.url
    );
    let ledger = Arc::new(Forgetful::default());
    let bench = Bench::with(connector, &connections, ledger.clone()).await;
    let called = bench.ended("look", json!({})).await;
    assert_eq!(shown(&called), "failed address_not_allowed");
    assert!(vendor.seen().is_empty());
    // The admin allows the vendor's address, not that to which the vendor then sends.
    let mut bench = Bench::with(
        connector,
        &connections.replace("127.0.0.1", "localhost"),
        ledger,
    )
    .await;
    bench.outbound = bench.outbound.allowing(hosts(&["localhost"]));
    let called = bench.ended("look", json!({})).await;
    assert_eq!(shown(&called), "failed address_not_allowed");
    assert_eq!(vendor.lines(), ["POST /token"]);
}
