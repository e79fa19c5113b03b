//! What a program prints, read to its end and kept within bounds.

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;

/// One stream of a program, of which no more than `limit` bytes are kept.
#[derive(Debug)]
pub(super) struct Stream {
    bytes: Vec<u8>,
    limit: usize,
    keep: Keep,
    cut: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Keep {
    First,
    Last,
}

impl Stream {
    pub(super) fn first(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, keep: Keep::First, cut: false }
    }

    pub(super) fn last(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, keep: Keep::Last, cut: false }
    }

    /// Reads to the end; what no longer fits is read too, else the program would wait for ever.
    pub(super) async fn read(&mut self, mut from: pipe::Receiver) {
        let mut chunk = vec![0; 64 * 1024];
        // A pipe that cannot be read has no more to say.
        while let Ok(length @ 1..) = from.read(&mut chunk).await {
            self.push(&chunk[..length]);
        }
    }

    /// Whether something was thrown away.
    pub(super) fn cut(&self) -> bool {
        self.cut
    }

    pub(super) fn text(mut self) -> String {
        self.trim();
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn push(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
        // Twice the limit for the last ones, so that not every chunk moves all of it.
        if self.keep == Keep::First || self.bytes.len() > 2 * self.limit {
            self.trim();
        }
    }

    fn trim(&mut self) {
        let Some(excess @ 1..) = self.bytes.len().checked_sub(self.limit) else { return };
        self.cut = true;
        match self.keep {
            Keep::First => self.bytes.truncate(self.limit),
            Keep::Last => drop(self.bytes.drain(..excess)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_keeps_its_first_or_its_last_bytes() {
        let kept = |mut stream: Stream| {
            for chunk in ["abc", "def", "ghi", "j"] {
                stream.push(chunk.as_bytes());
            }
            (stream.cut(), stream.text())
        };
        assert_eq!(kept(Stream::first(4)), (true, "abcd".into()));
        assert_eq!(kept(Stream::last(4)), (true, "ghij".into()));
        assert_eq!(kept(Stream::first(10)), (false, "abcdefghij".into()));
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_as_far_as_they_can_be_shown() {
        let mut stream = Stream::first(10);
        stream.push(b"a\xffb");
        assert_eq!(stream.text(), "a\u{fffd}b");
    }
}
