//! The world a test lives in is `stand`'s, shared with the tests of `server`.

pub use stand::world::{World, opening};
