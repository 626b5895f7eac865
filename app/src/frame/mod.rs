//! What stands around and inside every page whatever it is about: the document, the frames, forms, formats. Knows no
//! subject; what a page shows is its subject's.

pub(crate) mod ask;
pub mod assets;
pub(crate) mod copy;
pub mod dead_end;
pub(crate) mod entrance;
pub(crate) mod form;
pub(crate) mod format;
pub(crate) mod layout;
pub(crate) mod mailed_link;
pub(crate) mod navigation;
pub(crate) mod search;
pub(crate) mod setting;
pub(crate) mod shell;
pub(crate) mod snippet;
pub(crate) mod stopped;
pub(crate) mod table;
