//! Whole installs on a real Kubernetes API, with real Helm and real object storage.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and starts okemon itself"
)]

mod again;
mod alone;
mod bad;
mod charts;
mod check;
mod clock;
mod docs;
mod door;
mod helper;
mod history;
mod install;
mod killed;
mod kubelet;
mod live;
mod lock;
mod matrix;
mod objects;
mod pods;
mod proofs;
mod refused;
mod running;
mod sandbox;
mod schema;
mod script;
mod taken;
mod terminal;
mod unfinished;
mod variants;
mod waiting;
mod watched;
mod words;
