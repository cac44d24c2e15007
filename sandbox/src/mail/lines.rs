//! Lines on the wire. In: a stream of bytes, encrypted or not. Out: lines, each with how it ended.
//! Always true: a line that is too long is read to its end, so that the next one is whole.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// A two-way stream of bytes.
pub(super) trait Channel: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Channel for T {}

/// A line as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// What it says, without its end.
    pub(super) bytes: Vec<u8>,
    /// It ended with CR and LF.
    pub(super) ends_well: bool,
    /// It ended so, and no CR stands within it, as every line must.
    pub(super) is_whole: bool,
    /// It was longer than it may be; `bytes` are its beginning.
    pub(super) is_too_long: bool,
}

/// A stream, read by lines.
pub(super) struct Lines {
    channel: Box<dyn Channel>,
    waiting: Vec<u8>,
}

impl Lines {
    pub(super) fn of(channel: Box<dyn Channel>) -> Self {
        Self {
            channel,
            waiting: Vec::new(),
        }
    }

    /// The stream itself; what was read of it and not yet asked for is thrown away, as it must be
    /// when encryption begins.
    pub(super) fn into_channel(self) -> Box<dyn Channel> {
        self.channel
    }

    /// The next line, of this many bytes with its end at the most; `None` when the client is gone.
    pub(super) async fn next(&mut self, longest: usize) -> io::Result<Option<Line>> {
        let mut kept: Vec<u8> = Vec::new();
        let mut length = 0;
        loop {
            let end = self.waiting.iter().position(|byte| *byte == b'\n');
            let count = end.map_or(self.waiting.len(), |end| end + 1);
            length += count;
            let room = longest.saturating_sub(kept.len()).min(count);
            kept.extend_from_slice(&self.waiting[..room]);
            self.waiting.drain(..count);
            if end.is_some() {
                return Ok(Some(line(kept, length > longest)));
            }
            self.waiting.reserve(CHUNK);
            if self.channel.read_buf(&mut self.waiting).await? == 0 {
                return Ok(None);
            }
        }
    }

    pub(super) async fn write(&mut self, text: &str) -> io::Result<()> {
        self.channel.write_all(text.as_bytes()).await?;
        self.channel.flush().await
    }

    /// Says that nothing more will come.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        self.channel.shutdown().await
    }
}

fn line(mut bytes: Vec<u8>, is_too_long: bool) -> Line {
    let ends_well = is_too_long || bytes.ends_with(b"\r\n");
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    Line {
        ends_well,
        is_whole: ends_well && !bytes.contains(&b'\r'),
        bytes,
        is_too_long,
    }
}
