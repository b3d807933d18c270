//! An enum whose values each have a machine word and words for people.

/// Defines the enum and its words, one line for each value.
macro_rules! labelled_enum {
    (
        $(#[$about:meta])* pub enum $type:ident;
        $($(#[$doc:meta])* $name:ident = $word:literal, $label:literal;)*
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $type {
            $($(#[$doc])* $name,)*
        }

        impl $type {
            /// Every value, in the order in which people read them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The machine word in campaign files, the ledger, exports and events.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The words for people.
            #[must_use]
            pub fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }
        }
    };
}

pub(super) use labelled_enum;
