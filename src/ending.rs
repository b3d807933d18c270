//! How a run ends. One table has every ending with its words, its exit code, whether polling goes on, and what a person
//! can do; a second one has what the vendor may refuse.

use serde::{Serialize, Serializer};

use crate::exit_status::ExitStatus;

/// An enum and its table: one row for each variant.
macro_rules! table {
    ($(#[$about:meta])* pub enum $name:ident: $row:ty; $($(#[$doc:meta])* $variant:ident = $cells:expr;)*) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $name {
            /// Every one, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            fn row(self) -> $row {
                match self { $(Self::$variant => $cells,)* }
            }
        }
    };
}

/// What an ending means.
struct EndingRow {
    /// The machine word in the ledger and in reports.
    word: &'static str,
    /// The words for people.
    label: &'static str,
    /// Whether a summary has the run's own sentence as well, for what the label cannot say: names, numbers, the remedy.
    shows_why: bool,
    /// The exit code; `None`: the states of the entries decide.
    exit: Option<ExitStatus>,
    polling: Polling,
    /// What a person can do. Empty: nothing is needed, or [`RefusedByVendor::remedy`] has it.
    remedy: &'static str,
}

/// Whether conversations are polled to their end after the run has stopped placing calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polling {
    Continues,
    /// Open conversations stay in the ledger for the next run.
    Stops,
    /// [`RefusedByVendor`] decides.
    ByRefusal,
}

table! {
    /// How a run ended. Of the organisations' endings the most severe one is the run's: the last one in this order.
    pub enum Ending: EndingRow;

    /// A newer run of the campaign began before this one had ended.
    Superseded = EndingRow {
        word: "superseded", label: "continued by a later run", shows_why: false,
        exit: None, polling: Polling::Stops, remedy: "",
    };
    /// Nothing more was due.
    Done = EndingRow {
        word: "done", label: "done", shows_why: false,
        exit: None, polling: Polling::Continues, remedy: "",
    };
    /// The dialing hours were over.
    WindowClosed = EndingRow {
        word: "window_closed", label: "stopped, the calling window is closed", shows_why: false,
        exit: None, polling: Polling::Continues, remedy: "",
    };
    /// The run had placed as many calls as `max_calls` allows.
    MaxCalls = EndingRow {
        word: "max_calls", label: "stopped, as many calls as max_calls allows were placed", shows_why: false,
        exit: None, polling: Polling::Continues, remedy: "",
    };
    /// A stop rule of the campaign was broken.
    StopRule = EndingRow {
        word: "stop_rule", label: "stopped by a stop_on rule of the campaign", shows_why: true,
        exit: None, polling: Polling::Continues,
        remedy: "check them in `callrounds report`, fix the cause, and run again: the run continues and counts from zero",
    };
    /// The vendor could not be reached for too long.
    Unreachable = EndingRow {
        word: "unreachable", label: "stopped, the vendor cannot be reached", shows_why: false,
        exit: None, polling: Polling::Stops, remedy: "",
    };
    /// The exclusions could not be read.
    Exclusions = EndingRow {
        word: "exclusions", label: "stopped, the exclude file cannot be read", shows_why: true,
        exit: None, polling: Polling::Continues, remedy: "fix it and run again",
    };
    /// Our clock could not be trusted. If it was set back, the next read would be due too late, so polling stops.
    Clock = EndingRow {
        word: "clock", label: "stopped, this machine's clock is wrong", shows_why: true,
        exit: None, polling: Polling::Stops, remedy: "set the clock",
    };
    /// An operator paused the campaign.
    Paused = EndingRow {
        word: "paused", label: "paused", shows_why: true,
        exit: Some(ExitStatus::DueWorkLeft), polling: Polling::Continues,
        remedy: "`callrounds resume` lifts the pause and continues",
    };
    /// A signal stopped it.
    Interrupted = EndingRow {
        word: "interrupted", label: "stopped by Ctrl-C or a signal", shows_why: false,
        exit: None, polling: Polling::Stops, remedy: "",
    };
    /// The vendor refused an organisation, or some of its locations.
    VendorRefused = EndingRow {
        word: "vendor_refused", label: "stopped, the vendor refused us", shows_why: true,
        exit: Some(ExitStatus::VendorRefused), polling: Polling::ByRefusal, remedy: "",
    };
    /// The vendor's list proved nothing, so the ledger could not be checked for missing calls.
    ListProvesNothing = EndingRow {
        word: "list_proves_nothing",
        label: "stopped, the vendor's list cannot show whether the ledger is complete", shows_why: true,
        exit: Some(ExitStatus::ListProvesNothing), polling: Polling::Continues,
        remedy: "ask the vendor to fix its list of conversations, then run again",
    };
    /// The vendor's list had calls of ours that the ledger lacks.
    Behind = EndingRow {
        word: "behind", label: "stopped, the ledger lacks calls that the vendor's list shows", shows_why: true,
        exit: Some(ExitStatus::Ledger), polling: Polling::Continues,
        remedy: "Restore the newest copy of the ledger; or, to continue with this one, run `callrounds ledger adopt` and \
                 then the campaign again, which takes over those calls",
    };
}

impl Ending {
    /// The machine word in the ledger and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().word
    }

    /// The words for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        self.row().label
    }

    /// The ending with the machine word `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|ending| ending.name() == name)
    }

    /// The exit code, if the ending decides it; otherwise the states of the entries do.
    #[must_use]
    pub fn exit(self) -> Option<ExitStatus> {
        self.row().exit
    }

    /// Whether polling stops as well, given what the vendor refuses, if it does.
    #[must_use]
    pub fn stops_polling(self, refusal: Option<RefusedByVendor>) -> bool {
        match self.row().polling {
            Polling::Continues => false,
            Polling::Stops => true,
            Polling::ByRefusal => refusal.is_some_and(|refusal| refusal.row().stops_polling),
        }
    }

    /// What a person can do; empty if nothing is needed, or if it depends on what the vendor refuses.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        self.row().remedy
    }
}

/// What a refusal by the vendor means.
struct RefusalRow {
    /// The refusal, as a sentence.
    description: &'static str,
    /// Whether conversations cannot be polled either.
    stops_polling: bool,
    /// What a person can do.
    remedy: &'static str,
    /// The same for a campaign with locations, if it differs.
    remedy_with_locations: Option<&'static str>,
}

table! {
    /// What the vendor rejects.
    pub enum RefusedByVendor: RefusalRow;

    /// Our credentials.
    Credentials = RefusalRow {
        description: "the vendor does not accept our credentials", stops_polling: true,
        remedy: "check ANNIE_API_KEY, ANNIE_CLIENT_ID and ANNIE_CLIENT_SECRET, or the campaign's key file, then run again",
        remedy_with_locations: Some(
            "check the organisation's ANNIE_API_KEY, ANNIE_CLIENT_ID and ANNIE_CLIENT_SECRET, which end in its name \
             (docs/locations.md), or the key_file of its [[line]], then run again",
        ),
    };
    /// Our caller id (`from_number`).
    CallerId = RefusalRow {
        description: "the vendor does not let our caller id (from_number) call", stops_polling: false,
        remedy: "attach [practice] from_number to an outbound bot in Annie, or name one that is attached, then run again",
        remedy_with_locations: Some(
            "attach the from_number of their [[line]] to an outbound bot in Annie, or name one that is attached, then run again",
        ),
    };
    /// The API's address: nothing there answers like the API.
    Address = RefusalRow {
        description: "nothing at the API's address answers like Annie", stops_polling: true,
        remedy: "check ANNIE_BASE_URL, then run again",
        remedy_with_locations: None,
    };
    /// The organisation's account.
    Account = RefusalRow {
        description: "the vendor refuses calls of this account", stops_polling: false,
        remedy: "resolve it with Annie, then run again: the next run calls the refused patients",
        remedy_with_locations: None,
    };
    /// The vendor does not say.
    Unexplained = RefusalRow {
        description: "the vendor refuses every call", stops_polling: false,
        remedy: "`callrounds explain PATIENT` for a refused patient quotes the refusal; the next run calls the refused patients",
        remedy_with_locations: None,
    };
}

impl RefusedByVendor {
    /// The refusal, as a sentence.
    #[must_use]
    pub fn description(self) -> &'static str {
        self.row().description
    }

    /// What the operator can do about it.
    #[must_use]
    pub fn remedy(self, has_locations: bool) -> &'static str {
        let row = self.row();
        row.remedy_with_locations.filter(|_| has_locations).unwrap_or(row.remedy)
    }
}

/// The ending that a ledger has of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordedEnding {
    /// One of this program's.
    Known(Ending),
    /// The word of a newer program. Reports show it as it is, with the run's own sentence.
    Unknown(String),
}

impl RecordedEnding {
    /// The ending with this machine word.
    #[must_use]
    pub fn from_word(word: String) -> Self {
        Ending::named(&word).map_or(Self::Unknown(word), Self::Known)
    }

    /// The machine word.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Known(ending) => ending.name(),
            Self::Unknown(word) => word,
        }
    }

    /// The words for people.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Known(ending) => ending.label(),
            Self::Unknown(word) => word,
        }
    }

    /// Whether a summary has the run's own sentence as well.
    #[must_use]
    pub fn shows_why(&self) -> bool {
        match self {
            Self::Known(ending) => ending.row().shows_why,
            Self::Unknown(_) => true,
        }
    }
}

impl Serialize for RecordedEnding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_is_read_by_its_word() {
        for ending in Ending::ALL {
            assert_eq!(RecordedEnding::from_word(ending.name().into()), RecordedEnding::Known(*ending));
        }
    }

    #[test]
    fn an_ending_of_a_newer_program_is_shown_as_its_word_with_the_sentence() {
        let newer = RecordedEnding::from_word("moved_to_a_worker".into());
        assert_eq!((newer.label(), newer.shows_why()), ("moved_to_a_worker", true));
        assert_eq!(serde_json::to_string(&newer).expect("JSON"), "\"moved_to_a_worker\"");
    }
}
