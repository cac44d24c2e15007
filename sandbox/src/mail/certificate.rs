//! Certificates for TLS, made when the sandbox starts. In: nothing, later the names that a server
//! is to have. Out: an authority of its own as PEM, for clients to trust, and certificates that it
//! signed. Always true: keys live in memory only, and no certificate outlives its usefulness by much.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, ToSpan};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// What the authority is called.
const AUTHORITY: &str = "Sandbox authority";

// Object identifiers, as DER has them.
const ECDSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const SUBJECT_KEY: &[u8] = &[0x55, 0x1d, 0x0e];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const AUTHORITY_KEY: &[u8] = &[0x55, 0x1d, 0x23];
const EXTENDED_USAGE: &[u8] = &[0x55, 0x1d, 0x25];
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

// Tags of DER.
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTF8: u8 = 0x0c;
const TIME: u8 = 0x17;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;

/// Whether a certificate still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Validity {
    Now,
    /// It ran out yesterday.
    Past,
}

/// An authority that signs certificates, and the key of the server that has them.
#[derive(Debug)]
pub(super) struct Authority {
    key: Key,
    server_key: Key,
    certificate: Vec<u8>,
}

impl Authority {
    /// A new authority.
    pub(super) fn new() -> Result<Self, Unspecified> {
        let (key, server_key) = (Key::new()?, Key::new()?);
        let extensions = [
            extension(SUBJECT_KEY, &der(OCTET_STRING, &key.id())),
            // CA: true; it may sign certificates (bit 5).
            critical(BASIC_CONSTRAINTS, &der(SEQUENCE, &[0x01, 0x01, 0xff])),
            critical(KEY_USAGE, &der(BIT_STRING, &[2, 0b0000_0100])),
        ];
        let certificate = signed(AUTHORITY, &key, &key, Validity::Now, &extensions)?;
        Ok(Self {
            key,
            server_key,
            certificate,
        })
    }

    /// What clients are to trust.
    pub(super) fn pem(&self) -> String {
        let coded = STANDARD.encode(&self.certificate);
        let lines: String = coded
            .as_bytes()
            .chunks(64)
            .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
            .collect();
        format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
    }

    /// A server of these names (domains or addresses).
    pub(super) fn server(
        &self,
        names: &[&str],
        validity: Validity,
    ) -> Result<Arc<ServerConfig>, String> {
        let named = names.iter().map(|name| match name.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => der(0x87, &address.octets()),
            Ok(IpAddr::V6(address)) => der(0x87, &address.octets()),
            Err(_) => der(0x82, name.as_bytes()),
        });
        let named: Vec<u8> = named.flatten().collect();
        let extensions = [
            extension(SUBJECT_KEY, &der(OCTET_STRING, &self.server_key.id())),
            extension(AUTHORITY_KEY, &der(SEQUENCE, &der(0x80, &self.key.id()))),
            // It may sign what is said (bit 0).
            critical(KEY_USAGE, &der(BIT_STRING, &[7, 0b1000_0000])),
            extension(EXTENDED_USAGE, &der(SEQUENCE, &der(OBJECT, SERVER_AUTH))),
            extension(ALTERNATIVE_NAMES, &der(SEQUENCE, &named)),
        ];
        let subject = names.first().copied().unwrap_or("nobody");
        let certificate = signed(subject, &self.server_key, &self.key, validity, &extensions);
        let certificate = certificate.map_err(|error| error.to_string())?;
        let key = PrivatePkcs8KeyDer::from(self.server_key.document.clone());
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let config = config
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(certificate)],
                PrivateKeyDer::Pkcs8(key),
            );
        config.map(Arc::new).map_err(|error| error.to_string())
    }
}

/// A key of the curve P-256.
#[derive(Debug)]
struct Key {
    pair: EcdsaKeyPair,
    document: Vec<u8>,
}

impl Key {
    fn new() -> Result<Self, Unspecified> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random)?;
        let document = document.as_ref().to_vec();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, &document, &random);
        Ok(Self {
            pair: pair.map_err(|_| Unspecified)?,
            document,
        })
    }

    fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// What names the key in certificates (RFC 5280, 4.2.1.2).
    fn id(&self) -> Vec<u8> {
        let id = digest(&SHA1_FOR_LEGACY_USE_ONLY, self.public());
        id.as_ref().to_vec()
    }
}

/// A certificate for the key of `subject` (RFC 5280, 4.1).
fn signed(
    subject: &str,
    subject_key: &Key,
    signer: &Key,
    validity: Validity,
    extensions: &[Vec<u8>],
) -> Result<Vec<u8>, Unspecified> {
    let random = SystemRandom::new();
    let mut serial = [0_u8; 16];
    random.fill(&mut serial)?;
    // Positive, and in its shortest form.
    serial[0] = serial[0] & 0x7f | 0x40;
    let algorithm = der(SEQUENCE, &der(OBJECT, ECDSA_WITH_SHA256));
    let curve = [der(OBJECT, EC_PUBLIC_KEY), der(OBJECT, PRIME256V1)].concat();
    let public = [der(SEQUENCE, &curve), bits(subject_key.public())].concat();
    let now = Timestamp::now();
    let (begin, end) = match validity {
        Validity::Now => (now - 24.hours(), now + (24 * 365).hours()),
        Validity::Past => (now - 48.hours(), now - 24.hours()),
    };
    let moments = [begin, end].map(|at| {
        let text = at.strftime("%y%m%d%H%M%SZ").to_string();
        der(TIME, text.as_bytes())
    });
    let body = [
        // Version 3.
        der(0xa0, &der(INTEGER, &[2])),
        der(INTEGER, &serial),
        algorithm.clone(),
        name(AUTHORITY),
        der(SEQUENCE, &moments.concat()),
        name(subject),
        der(SEQUENCE, &public),
        der(0xa3, &der(SEQUENCE, &extensions.concat())),
    ];
    let body = der(SEQUENCE, &body.concat());
    let signature = signer.pair.sign(&random, &body)?;
    let whole = [body, algorithm, bits(signature.as_ref())].concat();
    Ok(der(SEQUENCE, &whole))
}

fn name(common: &str) -> Vec<u8> {
    let pair = [der(OBJECT, COMMON_NAME), der(UTF8, common.as_bytes())].concat();
    der(SEQUENCE, &der(SET, &der(SEQUENCE, &pair)))
}

fn extension(id: &[u8], value: &[u8]) -> Vec<u8> {
    let parts = [der(OBJECT, id), der(OCTET_STRING, value)];
    der(SEQUENCE, &parts.concat())
}

fn critical(id: &[u8], value: &[u8]) -> Vec<u8> {
    let parts = [
        der(OBJECT, id),
        vec![0x01, 0x01, 0xff],
        der(OCTET_STRING, value),
    ];
    der(SEQUENCE, &parts.concat())
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    der(BIT_STRING, &[&[0], bytes].concat())
}

/// One value of DER: its tag, its length, itself.
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut written = vec![tag];
    match value.len() {
        short @ 0..=127 => written.push(short as u8),
        _ => {
            written.push(0x80 | significant.len() as u8);
            written.extend(significant);
        }
    }
    written.extend_from_slice(value);
    written
}
