//! How a plan is shown.

pub mod json;
pub mod sh;
pub mod text;
