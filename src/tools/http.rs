//! An HTTP call as data: what to send, what came back. Nothing here speaks HTTP.

use secrecy::SecretString;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Put,
}

/// Who signs in, by HTTP's own way.
#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    pub password: SecretString,
}

/// One call without a body.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    /// Secret, since a signed URL is as good as a key. It is never shown.
    pub url: SecretString,
    /// None: nobody signs in.
    pub login: Option<Login>,
}

/// What a server said, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The header `Date`: the server's clock.
    pub date: Option<String>,
    pub body: String,
}

impl Answer {
    /// Whether the server, or what stands before it, may have another one in a moment.
    pub fn may_pass(&self) -> bool {
        matches!(self.status, 429 | 500..)
    }
}
