//! A proxy would reach what the guard of addresses forbids: none of the environment is used.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::Command;

use serde_json::json;

use super::house::gossip;

const RECIPE: &str = "
title: Asks
trigger: { function: { input: {}, output: {} } }
steps:
  - action: http.request
    with: { path: /somewhere }
";

#[tokio::test(flavor = "multi_thread")]
async fn no_proxy_of_the_environment_sees_a_call() {
    let url = gossip(json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("recipes/own/project.yaml", "title: Own\nversion: 1.0.0\n");
    write("recipes/own/asks.yaml", RECIPE);
    let connection = format!("{{ base_url: \"{url}\", allow_private: true }}");
    write(
        "connections.yaml",
        &format!("connections: {{ http: {connection} }}\n"),
    );
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    proxy.set_nonblocking(true).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_recipes"));
    command.arg("--workspace").arg(folder.path());
    command.args(["run", "asks", "--wait"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, &address);
        command.env(name.to_lowercase(), &address);
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{errors}");
    let visitor = proxy.accept().unwrap_err();
    assert_eq!(visitor.kind(), ErrorKind::WouldBlock, "{told}");
}
