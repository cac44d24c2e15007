//! Stand-ins for the vendors: Docebo, Accredible, a plain vendor of records, and a mail server. In:
//! a world as YAML. Out: real HTTP and SMTP servers with state, webhooks, quirks and faults, on ports
//! of this machine.
//! Always true: one clock for all, nothing is kept on disk, and `Sandbox::stop` ends every task
//! and connection.
//!
//! Each server has a control surface under `/_control/` (see `README.md` of this crate): the
//! requests it saw, faults on order, the clock, the state, and what people do in the vendor's own
//! pages.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use accredible::Accredible;
use docebo::Docebo;
use gate::Gate;
use mail::PostOffice;
use records::Records;
use wire::connection::{Connections, Door, Peer};

pub use academy::{Academy, BATCH_RECIPE, Size};
pub use clock::Clock;
pub use connections::CONNECTIONS;
pub use faults::{FaultKind, FaultRule};
pub use mail::{Attachment, Mail, Protection};
pub use stories::{STORIES, Story};
pub use webhooks::Webhook;
pub use wire::route::Provenance;
pub use world::{WORLDS, World, WorldError};

mod academy;
mod accredible;
mod chance;
mod clock;
mod connections;
mod control;
mod docebo;
mod faults;
mod gate;
mod journal;
mod mail;
mod moment;
mod records;
mod stories;
mod webhooks;
mod wire;
mod world;

/// The names of the servers that a sandbox has.
pub const SERVERS: [&str; 4] = ["docebo", "accredible", "records", "mail"];

/// How a sandbox starts.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// What the vendors know.
    pub world: World,
    /// Port of the Docebo stand-in on 127.0.0.1; 0 takes a free one.
    pub docebo_port: u16,
    /// Port of the Accredible stand-in; 0 takes a free one.
    pub accredible_port: u16,
    /// Port of the records vendor; 0 takes a free one.
    pub records_port: u16,
    /// Port of the mail server's control surface; 0 takes a free one.
    pub mail_port: u16,
    /// Port of the mail server itself (SMTP); 0 takes a free one.
    pub smtp_port: u16,
    /// Port at which the mail server speaks TLS from the beginning; 0 takes a free one.
    pub smtps_port: u16,
    /// Tokens, ids and chances follow from this number.
    pub seed: u64,
    /// How many times as fast as real time the sandbox clock runs; 0 stands still.
    pub scale: f64,
}

impl SandboxConfig {
    /// The stand-ins at neighbouring ports, beginning with this one; 0 takes free ones.
    #[must_use]
    pub fn at_ports_from(self, first: u16) -> Self {
        let port = |offset: u16| match first {
            0 => 0,
            first => first.saturating_add(offset),
        };
        Self {
            docebo_port: port(0),
            accredible_port: port(1),
            records_port: port(2),
            mail_port: port(3),
            smtp_port: port(4),
            smtps_port: port(5),
            ..self
        }
    }
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            world: World::training(),
            docebo_port: 0,
            accredible_port: 0,
            records_port: 0,
            mail_port: 0,
            smtp_port: 0,
            smtps_port: 0,
            seed: 1,
            scale: 1.0,
        }
    }
}

/// Running stand-ins.
#[derive(Debug)]
pub struct Sandbox {
    /// Base address of the Docebo stand-in, without a slash at the end.
    pub docebo_url: String,
    /// Base address of the Accredible stand-in.
    pub accredible_url: String,
    /// Base address of the records vendor.
    pub records_url: String,
    /// Base address of the mail server's control surface.
    pub mail_url: String,
    /// Where the mail server takes mails (SMTP, with STARTTLS): a port of 127.0.0.1.
    pub smtp_port: u16,
    /// Where it speaks TLS from the beginning.
    pub smtps_port: u16,
    /// The certificate, as PEM, that clients of the mail server are to trust.
    pub mail_certificate: String,
    post_office: Arc<PostOffice>,
    clock: Arc<Clock>,
    tasks: JoinSet<()>,
    connections: Vec<Arc<Connections>>,
}

/// Starts the stand-ins of a world.
///
/// # Errors
/// When a port is taken, or rows of the world do not fit together.
pub async fn start(config: SandboxConfig) -> io::Result<Sandbox> {
    // The HTTP client asks for one even where it only speaks plain HTTP. An error means that the
    // process has one already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let seed = config.seed;
    let clock = Arc::new(Clock::new(config.world.now.map(|now| now.0), config.scale));
    let gate = |salt: u64| Arc::new(Gate::new(Arc::clone(&clock), seed ^ salt));
    let (docebo_gate, accredible_gate, records_gate) = (gate(1), gate(2), gate(3));
    let post_office = PostOffice::new(config.world.mail, gate(4)).map_err(io::Error::other)?;
    let docebo = Docebo::new(config.world.docebo, Arc::clone(&docebo_gate), seed);
    let docebo = docebo.map_err(|problem| invalid("docebo", &problem))?;
    let accredible = Accredible::new(config.world.accredible, Arc::clone(&accredible_gate), seed);
    let accredible = accredible.map_err(|problem| invalid("accredible", &problem))?;
    let records = Records::new(Arc::clone(&records_gate));
    let mut sandbox = Sandbox {
        docebo_url: String::new(),
        accredible_url: String::new(),
        records_url: String::new(),
        mail_url: String::new(),
        smtp_port: 0,
        smtps_port: 0,
        mail_certificate: post_office.certificate(),
        post_office: Arc::clone(&post_office),
        clock,
        tasks: JoinSet::new(),
        connections: Vec::new(),
    };
    let controls = control::router(docebo.clone());
    let port = config.docebo_port;
    sandbox.docebo_url = sandbox
        .open(port, docebo_gate, docebo.router(), controls)
        .await?;
    let controls = control::router(accredible.clone());
    let port = config.accredible_port;
    sandbox.accredible_url = sandbox
        .open(port, accredible_gate, accredible.router(), controls)
        .await?;
    let controls = control::router(records.clone()).merge(records.controls());
    let port = config.records_port;
    sandbox.records_url = sandbox
        .open(port, records_gate, records.router(), controls)
        .await?;
    let controls = control::router(post_office.clone()).merge(post_office.controls());
    let (port, mail_gate) = (config.mail_port, Arc::clone(post_office.gate()));
    sandbox.mail_url = sandbox
        .open(port, mail_gate, post_office.router(), controls)
        .await?;
    sandbox.smtp_port = sandbox.post(config.smtp_port, Protection::None).await?;
    sandbox.smtps_port = sandbox
        .post(config.smtps_port, Protection::Implicit)
        .await?;
    sandbox.tasks.spawn(docebo.run());
    Ok(sandbox)
}

impl Sandbox {
    /// The clock of all its servers.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The name and base address of every stand-in.
    #[must_use]
    pub fn addresses(&self) -> Vec<(&'static str, &str)> {
        let urls = [
            &self.docebo_url,
            &self.accredible_url,
            &self.records_url,
            &self.mail_url,
        ];
        let named = SERVERS.into_iter().zip(urls);
        named.map(|(name, url)| (name, url.as_str())).collect()
    }

    /// The mails that the mail server has taken, in that order.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.post_office.mails()
    }

    /// Ends every task and connection and waits until they are gone.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.connections
            .iter()
            .for_each(|connections| connections.cut_all());
    }

    /// Opens a door of the mail server and returns its port.
    async fn post(&mut self, port: u16, tls: Protection) -> io::Result<u16> {
        let listener = listen(port).await?;
        let port = listener.local_addr()?.port();
        let connections = Arc::clone(&self.post_office.gate().connections);
        let door = Door::new(listener, connections);
        self.tasks
            .spawn(Arc::clone(&self.post_office).serve(door, tls));
        Ok(port)
    }

    /// Opens the door of one vendor and returns its address.
    async fn open(
        &mut self,
        port: u16,
        gate: Arc<Gate>,
        vendor: Router,
        controls: Router,
    ) -> io::Result<String> {
        let listener = listen(port).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let connections = Arc::clone(&gate.connections);
        self.connections.push(Arc::clone(&connections));
        let guarded = vendor.layer(middleware::from_fn_with_state(gate, gate::pass));
        let service = controls
            .fallback_service(guarded)
            .into_make_service_with_connect_info::<Peer>();
        let door = Door::new(listener, connections);
        self.tasks.spawn(async move {
            if let Err(error) = axum::serve(door, service).await {
                tracing::error!(%error, "a stand-in stopped serving");
            }
        });
        Ok(url)
    }
}

async fn listen(port: u16) -> io::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
    })
}

fn invalid(vendor: &str, problem: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("world, {vendor}: {problem}"),
    )
}
