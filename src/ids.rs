//! Id newtypes: each id has its own type, so that one cannot be used in place of another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Numbers that the ledger assigns, from 1.
macro_rules! numbered {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

numbered! {
    /// A campaign in a ledger.
    CampaignId,
    /// A run: one invocation's work over a list, continued by `resume`.
    RunId,
    /// An entry: one unit to call. Safe to show anywhere: it reveals nothing about the patient.
    EntryId,
    /// An attempt: one authorised `POST /calls`.
    AttemptId,
}

/// Ids that are texts.
macro_rules! named {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps `text` unchanged.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )*};
}

named! {
    /// A campaign's name, from its file.
    CampaignName,
    /// The organisation that owns a caller id. Credentials and the request budget belong to it, so every limiter is
    /// keyed by it.
    OrganisationId,
    /// A location of a practice, as named by the list's location column and the campaign's `[[line]]` tables.
    Location,
    /// The vendor's id of a conversation: a UUID according to its documentation, or another text, kept as received.
    ConversationId,
    /// The key of an entry, unique within its campaign: the joined values of the key columns. It may hold a patient's
    /// identifier, so `Debug` masks it.
    EntryKey,
}

impl ConversationId {
    /// An id as the vendor, or a person, writes it. A UUID is the same in capitals: it is kept in small letters.
    #[must_use]
    pub fn written(text: &str) -> Self {
        let is_uuid = text.len() == 36 && uuid::Uuid::try_parse(text).is_ok();
        Self(if is_uuid { text.to_ascii_lowercase() } else { text.to_owned() })
    }
}

macro_rules! shown {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&crate::visible::value(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), crate::visible::value(&self.0))
            }
        }
    )*};
}

shown!(CampaignName, OrganisationId, Location, ConversationId);

impl fmt::Debug for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntryKey(masked)")
    }
}

impl EntryKey {
    /// Joins the values of the key columns. The separator occurs in no cell, so `("1", "23")` and `("12", "3")` differ.
    #[must_use]
    pub fn from_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut parts = parts.into_iter();
        let mut key = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            key.push('\u{1f}');
            key.push_str(part);
        }
        Self(key)
    }

    /// The values that [`EntryKey::from_parts`] joined.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('\u{1f}')
    }

    /// The values for a person, with a space between.
    #[must_use]
    pub fn shown(&self) -> String {
        self.parts().collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_separates_its_parts() {
        let key = EntryKey::from_parts(["1", "23"]);
        assert_ne!(key, EntryKey::from_parts(["12", "3"]));
        assert_eq!(key.parts().collect::<Vec<_>>(), ["1", "23"]);
    }

    #[test]
    fn the_debug_output_of_a_key_is_masked() {
        assert_eq!(format!("{:?}", EntryKey::new("P-1001")), "EntryKey(masked)");
    }
}
