//! Names of things, each with a type of its own, so that one cannot be given where another is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Numbers that the ledger hands out, counted from 1.
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
    /// One invocation's work over a list.
    RunId,
    /// One unit to be called. Safe to show anywhere: it says nothing about the patient.
    EntryId,
    /// One authorised `POST /calls`.
    AttemptId,
}

/// Texts that name something.
macro_rules! named {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes `text` as it is.
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
    /// A campaign's name, as its file gives it.
    CampaignName,
    /// The organisation that a from-number belongs to. Credentials and the request budget are the organisation's, so
    /// every limiter is keyed by it.
    OrganisationId,
    /// One of a practice's places, as the list's location column and the campaign's lines name it.
    Location,
    /// The vendor's id of a conversation, a UUID by its documentation; kept as the text it came as.
    ConversationId,
    /// What makes an entry unique within its campaign: the key columns' values, joined. It may hold a patient's
    /// identifier, so it is never printed.
    EntryKey,
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
    /// Joins the key columns' values; a separator that no cell holds keeps `("1", "23")` and `("12", "3")` apart.
    #[must_use]
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut parts = parts.into_iter();
        let mut key = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            key.push('\u{1f}');
            key.push_str(part);
        }
        Self(key)
    }

    /// The values that [`EntryKey::of_parts`] joined.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('\u{1f}')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_parts_apart() {
        let key = EntryKey::of_parts(["1", "23"]);
        assert_ne!(key, EntryKey::of_parts(["12", "3"]));
        assert_eq!(key.parts().collect::<Vec<_>>(), ["1", "23"]);
    }

    #[test]
    fn a_key_is_masked_when_debugged() {
        assert_eq!(format!("{:?}", EntryKey::new("P-1001")), "EntryKey(masked)");
    }
}
