//! A client that says what a test tells it to, byte by byte.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::harness::Rig;

/// A two-way stream of bytes.
pub(super) trait Channel: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Channel for T {}

/// A connection to the mail server.
pub(super) struct Talk(pub(super) BufReader<Box<dyn Channel>>);

impl Talk {
    /// Connects, and hears the greeting.
    pub(super) async fn begin(rig: &Rig) -> Self {
        let mut talk = Self::knock(rig).await;
        assert_eq!(talk.hear().await, "220 mail.sandbox ESMTP");
        talk
    }

    /// Connects only.
    pub(super) async fn knock(rig: &Rig) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", rig.sandbox.smtp_port)).await;
        Self(BufReader::new(Box::new(stream.unwrap())))
    }

    /// Goes on encrypted, with a server that must have this name.
    pub(super) async fn encrypted(self, rig: &Rig, name: &str) -> std::io::Result<Self> {
        let mut roots = RootCertStore::empty();
        let pem = rig.sandbox.mail_certificate.as_bytes();
        roots
            .add(CertificateDer::from_pem_slice(pem).unwrap())
            .unwrap();
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, self.0.into_inner()).await?;
        Ok(Self(BufReader::new(Box::new(stream))))
    }

    /// Connects to the port that is encrypted from the beginning, and hears the greeting.
    pub(super) async fn begin_encrypted(rig: &Rig) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", rig.sandbox.smtps_port)).await;
        let talk = Self(BufReader::new(Box::new(stream.unwrap())));
        let mut talk = talk.encrypted(rig, "127.0.0.1").await.unwrap();
        assert_eq!(talk.hear().await, "220 mail.sandbox ESMTP");
        talk
    }

    /// Connects, is greeted, and greets.
    pub(super) async fn greeted(rig: &Rig) -> Self {
        let mut talk = Self::begin(rig).await;
        assert!(talk.say("EHLO test.example").await.starts_with("250-"));
        talk
    }

    /// Says a line, and hears what comes of it.
    pub(super) async fn say(&mut self, line: &str) -> String {
        self.put(&format!("{line}\r\n")).await;
        self.hear().await
    }

    /// The code of what comes of a line.
    pub(super) async fn code(&mut self, line: &str) -> u16 {
        let heard = self.say(line).await;
        heard[..3]
            .parse()
            .unwrap_or_else(|_| panic!("{line}: {heard}"))
    }

    pub(super) async fn put(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    /// One reply, all of its lines.
    pub(super) async fn hear(&mut self) -> String {
        let mut heard = String::new();
        loop {
            let start = heard.len();
            if self.0.read_line(&mut heard).await.unwrap() == 0 {
                return heard;
            }
            if heard.as_bytes()[start..].get(3) != Some(&b'-') {
                return heard.trim_end().to_owned();
            }
        }
    }

    /// Whatever still comes until the server hangs up.
    pub(super) async fn rest(&mut self) -> std::io::Result<String> {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).await?;
        Ok(rest)
    }

    /// Sends a mail of this text to these people and returns the last reply.
    pub(super) async fn mail(&mut self, to: &[&str], text: &str) -> String {
        assert_eq!(self.code("MAIL FROM:<from@example.com>").await, 250);
        for to in to {
            assert_eq!(self.code(&format!("RCPT TO:<{to}>")).await, 250);
        }
        assert_eq!(self.code("DATA").await, 354);
        self.say(&format!("{text}\r\n.")).await
    }
}
