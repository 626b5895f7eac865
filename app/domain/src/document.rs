//! The legal documents a customer accepts to open an account. Their text and versions come from outside; here they have a name and a place.

use serde::{Deserialize, Serialize};

/// A document that is accepted by version (Terms 3, 13, 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// Terms of Service.
    Terms,
    /// Acceptable Use Policy, part of the Terms by reference (Terms 3).
    Aup,
    /// Data Processing Agreement, part of the Terms by reference (Terms 15).
    Dpa,
    /// The statement on export control and sanctions that Terms 14 asks for.
    ExportStatement,
}

impl Document {
    /// All of them; opening an account records one acceptance each.
    pub const ALL: [Self; 4] = [Self::Terms, Self::Aup, Self::Dpa, Self::ExportStatement];

    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terms => "terms",
            Self::Aup => "aup",
            Self::Dpa => "dpa",
            Self::ExportStatement => "export_statement",
        }
    }
}
