//! callrounds places a practice's calls through the Annie voice API: each attempt exactly once, within every rule that
//! applies, and follows every conversation to its end.
//!
//! # From a list to a report
//!
//! list → rows → patients → households → entries *(ledger)* → decision → intent *(ledger)* → request → reply *(ledger)*
//! → conversation *(ledger)* → outcome → report. Resuming a run is the same line: enrolling a list again inserts nothing.
//!
//! # The map
//!
//! | module | holds |
//! |---|---|
//! | [`cli`] | one file per command: arguments, wiring, exit codes |
//! | [`campaign`], [`template`] | the campaign file, validated, and its message templates |
//! | [`intake`] | from a list file to entries ready to enrol; `check` and `run` share it |
//! | [`entry`] | an entry's content and states, the one function that changes its state, and the outcomes |
//! | [`outcome`] | what a finished conversation meant: phrases, tags and a campaign's rules; pure |
//! | [`policy`] | whether an entry may be called now, when, or never, and by which rule; pure |
//! | [`ledger`] | the only SQL: everything that must survive; one writer |
//! | [`vendor`] | the vendor's traits and their types, the request quota and the backoff; [`vendor::http`] sends one request, at most once, to any API; [`vendor::annie`] is the Annie API: credentials, what a response means, webhooks |
//! | [`engine`] | a run: one dispatcher per organisation, the tracker, the reconciler; what a scan of the vendor's list proves, the staleness check before the first call, the stop rules |
//! | [`plan`] | what a run would do: each entry's rule and time, the forecast, the plan file that is approved and dialled |
//! | [`report`] | events → progress; ledger → a report in any format; one entry's timeline |
//! | [`simulator`] | a faithful Annie over real HTTP |
//! | [`ending`] | every ending of a run: its words, its exit code, whether polling goes on, the remedy |
//! | [`phone`], [`zone`], [`clock`], [`ids`], [`did_you_mean`], [`visible`], [`wording`], [`bounded`], [`exit_status`], [`error`] | phone numbers, local time, time as a parameter, id newtypes, did-you-mean, foreign text made safe to print, counts and system errors in words, readers with a limit, exit codes, command errors |
//!
//! `docs/where-is.md` answers "where is …?" for the questions that come up most; `docs/design.md` has the promises and the
//! reasons, `docs/glossary.md` every word.
//!
//! Allowed uses: main → cli → engine → {ledger, vendor} → {policy, campaign, outcome, entry} → {phone, zone, clock, ids};
//! cli → intake → {campaign, template, entry, phone}; plan uses the ledger, the rules and the quota; report uses events,
//! plans and the ledger's summaries. `ledger` and `vendor` do not know each other; the simulator knows only the basics and
//! never the client. Within a module no two files name each other's items (methods of one type in several files, such as the
//! dispatcher's, do not count). `tests/callrounds/meta/architecture.rs` enforces all of it.
//!
//! # Invariants
//!
//! * An attempt's intent is on stable storage before the first byte of its request leaves; one attempt is at most one
//!   `POST`.
//! * An entry gets another attempt only if the last one ended and the redial rules allow it, or provably was not placed, or
//!   reconciliation (rule R) proved its call absent and the operator opted in.
//! * What a scan proves rests on its rows alone: that they end, or that the order which they show has passed the wanted
//!   instant. Totals and offsets prove nothing, nor does a row that cannot be read.
//! * No call is placed from a ledger that is behind the calls already dialled with it: its high-water mark is in a file of
//!   its own.
//! * No deadline counts time in which the vendor's list could not be read.
//! * Rows read = accepted + rejected + duplicate + merged, and accepted = the sum over states.
//! * Patient data leaves only to the ledger, to the files that were asked for, and in the request's body.

pub mod bounded;
pub mod campaign;
pub mod cli;
pub mod clock;
pub mod did_you_mean;
pub mod ending;
pub mod engine;
pub mod entry;
pub mod error;
pub mod exit_status;
pub mod ids;
pub mod intake;
pub mod ledger;
pub mod outcome;
pub mod phone;
pub mod plan;
pub mod policy;
pub mod report;
pub mod simulator;
pub mod template;
pub mod vendor;
pub mod visible;
pub mod wording;
pub mod zone;

#[cfg(test)]
extern crate self as callrounds;
#[cfg(test)]
#[path = "../tests/fixtures/mod.rs"]
mod fixtures;
