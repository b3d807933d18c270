//! The operations of the random sequences.

use proptest::prelude::*;

use super::*;

/// One operation on the ledger.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    /// This many hours pass.
    Wait(u8),
    /// A run claims at most this many entries.
    Claim(u8),
    /// Any fact, possible or not, becomes known about an entry's newest attempt.
    RecordAny { index: usize, fact: usize },
    /// A possible fact becomes known about a call in flight.
    RecordPossible { call: usize, fact: usize },
    /// The next list has these entries.
    List([bool; 4]),
    /// An operator suppresses an entry's number.
    Suppress(usize),
    /// An operator resolves an entry, held or not.
    Resolve { index: usize, choice: usize },
    /// An operator reviews an entry, whether or not a conversation of it is in doubt.
    Review { index: usize, choice: usize },
    /// An operator reviews an entry that is in doubt, if there is one.
    ReviewPossible { entry: usize, choice: usize },
    /// An operator cancels the newest run's list, or the whole campaign.
    Cancel { whole: bool },
    /// An operator takes the campaign's cancellations back.
    UndoCancel,
    /// The program ends and another one opens the ledger.
    Reopen,
}

pub(super) fn operation() -> impl Strategy<Value = Operation> {
    let index = 0..ENTRIES.len();
    prop_oneof![
        3 => (1..100_u8).prop_map(Operation::Wait),
        6 => (1..5_u8).prop_map(Operation::Claim),
        3 => (index.clone(), 0..facts(noon()).len()).prop_map(|(index, fact)| Operation::RecordAny { index, fact }),
        12 => any::<(usize, usize)>().prop_map(|(call, fact)| Operation::RecordPossible { call, fact }),
        2 => any::<[bool; 4]>().prop_map(Operation::List),
        1 => index.clone().prop_map(Operation::Suppress),
        2 => (index.clone(), 0..3_usize).prop_map(|(index, choice)| Operation::Resolve { index, choice }),
        1 => (index, 0..3_usize).prop_map(|(index, choice)| Operation::Review { index, choice }),
        2 => (any::<usize>(), 0..3_usize).prop_map(|(entry, choice)| Operation::ReviewPossible { entry, choice }),
        1 => any::<bool>().prop_map(|whole| Operation::Cancel { whole }),
        1 => Just(Operation::UndoCancel),
        1 => Just(Operation::Reopen),
    ]
}
