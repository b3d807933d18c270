//! callrounds places a practice's calls through the Annie voice API: each exactly once, within every rule that applies,
//! and follows every conversation to its end.
//!
//! # The straight line
//!
//! list → rows → patients → households → entries *(ledger)* → decision → intent *(ledger)* → request → reply *(ledger)*
//! → conversation *(ledger)* → outcome → report. Resuming is the same line: enrolling again inserts nothing new.
//!
//! # The map
//!
//! | module | holds |
//! |---|---|
//! | [`cli`] | one file per command: arguments, wiring, exit codes |
//! | [`campaign`], [`template`] | the campaign file, its checked content, and its message templates |
//! | [`intake`] | from a file to entries ready to enrol; shared by `check` and `run` |
//! | [`entry`] | an entry's content, its states, the one function that moves it, and what an outcome is |
//! | [`policy`] | whether an entry may be called now, when, or never, and by which rule; pure |
//! | [`ledger`] | the only SQL: everything that must survive; one writer |
//! | [`annie`] | the vendor: requests, credentials, what an answer means, the request budget, webhooks |
//! | [`engine`] | the dispatcher, the tracker and the reconciler: a run, with a dispatcher for each of its organisations; what a scan of the vendor's list proves, and the look before the first call |
//! | [`plan`] | what a run would do: each entry's rule and turn, the forecast, the file that is approved and dialled |
//! | [`report`] | events → progress; ledger → text, json, csv, xlsx, html |
//! | [`simulator`] | a faithful Annie over real HTTP |
//! | [`phone`], [`zone`], [`clock`], [`ids`], [`nearest`], [`visible`], [`bounded`], [`error`] | numbers, local time, time as a parameter, names of things, the word that was meant, text from outside as people are shown it, files that may be too long, what stops a command |
//!
//! Who may use whom: main → cli → engine → {ledger, annie} → {policy, campaign, entry} → {phone, zone, clock, ids};
//! cli → intake → {campaign, template, entry, phone}; plan asks the ledger, the rules and the budget; report sees events,
//! plans and the ledger's summaries. `ledger` and `annie` do not know each other; the simulator knows only the basics and
//! never the client. `tests/` enforces it.
//!
//! # What always holds
//!
//! * An attempt's intent is on stable storage before the first byte of its request leaves; one attempt is at most one
//!   `POST`.
//! * An entry gets another attempt only if the last one ended and the redial rules allow, or provably was not placed, or
//!   was found absent by rule R and the operator opted in.
//! * What a scan proves rests on its rows alone: that they end, or that the order which they show has passed the instant
//!   asked for. Totals and offsets prove nothing, nor does a row that cannot be read.
//! * Nobody is called by a ledger that is behind what was dialled with it: its high-water mark is in a file of its own.
//! * No deadline counts time in which the vendor's list could not be read.
//! * Rows read = accepted + rejected + duplicate + merged, and accepted = the sum over states.
//! * No patient's data leaves but to the ledger, the files that were asked for, and the request's body.

pub mod annie;
pub mod bounded;
pub mod campaign;
pub mod cli;
pub mod clock;
pub mod engine;
pub mod entry;
pub mod error;
pub mod ids;
pub mod intake;
pub mod ledger;
pub mod nearest;
pub mod phone;
pub mod plan;
pub mod policy;
pub mod report;
pub mod simulator;
pub mod template;
pub mod visible;
pub mod zone;
