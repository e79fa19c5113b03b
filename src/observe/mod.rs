//! What is there, as somebody said it at one moment. [`crate::diagnose`] tells what it means.

pub mod kubernetes;
