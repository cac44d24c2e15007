//! Log lines on their way out.
//!
//! In: lines as they were written. Out: the same on the standard error, without secrets and
//! without what looks like an e-mail address.
//! Always true: a line leaves whole and masked, whatever room or crate wrote it, faults of the
//! engine's own included.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use crate::mask::{learned_secrets, without_mails};

/// Writes log lines to the standard error, masked.
pub(super) struct Lines;

/// One line while it is written.
pub(super) struct Line(Vec<u8>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Vec::new())
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.0);
        if line.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        let text = learned_secrets().text(&text).into_owned();
        io::stderr()
            .lock()
            .write_all(without_mails(&text).as_bytes())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// Sends what a fault of the engine's own says to the log, where it is masked like any line.
pub(super) fn log_faults() {
    std::panic::set_hook(Box::new(|fault| tracing::error!("{fault}")));
}
