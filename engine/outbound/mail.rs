//! Mails through the connection's own server.

use std::time::Duration;

use super::Outbound;
use super::account::Prepared;
use crate::connector::{Action, Trouble};
use crate::interpret::Called;

impl Outbound {
    /// Sends a mail.
    pub(super) async fn mail<E: From<Trouble>>(
        &self,
        _prepared: &Prepared,
        _action: &Action,
        _key: &str,
        _timeout: Duration,
    ) -> Result<Called, E> {
        Err(Trouble::new("not_available_yet", "mail comes next").into())
    }
}
