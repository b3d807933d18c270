//! The file twin: what may be written in a campaign file, all of it optional while it is being read.
//!
//! What a file leaves out comes from `defaults.toml`, which has the same keys and explains them for people.

use std::ops::Range;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc, Weekday};
use schemars::{Schema, SchemaGenerator};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::read::{Placed, Reader, Written, over, tables};
use super::value::{AreaCodePlaces, Canary, ColumnNames, Count, FaultText, MostCalls, Pace, Share, Switch, VendorKind};
use super::{Consent, DateOrder, DayWindow, Holiday, OnAbsent, OnConflict, OnLostAnswer, Preset, Purpose, ZoneMode};
use crate::entry::Outcome;
use crate::ids::CampaignName;
use crate::phone::E164;
use crate::template::Template;
use crate::zone::Zone;

tables! {
    /// A callrounds campaign: whom it calls, when, and what is said.
    CampaignFile {
        /// Names the campaign in the ledger. A patient is called once within it, however often it is run.
        name: CampaignName, required as r#"name = "six-month-recall""#;
        /// What the calls are for. It decides the defaults.
        purpose: Purpose, required as r#"purpose = "recall" (or "reminder", "follow_up")"#;
        /// Whether `outcomes` replaces the default rules instead of coming before them.
        replace_default_outcomes: bool;
        /// The practice on whose behalf calls are made.
        practice: PracticeTable, required as r"[practice] with name, timezone and from_number below it";
        /// A file of further `[[line]]` tables, relative to this file's folder.
        lines: PathBuf;
        /// For each location of the practice, who calls its patients: the list's location column tells which.
        line: Vec<Placed<LineTable>>;
        /// How the patient list is read.
        list: ListTable;
        /// What is said.
        message: MessageTable;
        /// When calls may be made.
        calling: CallingTable;
        /// When somebody is called again.
        redial: RedialTable;
        /// How fast calls are placed.
        rate: RateTable;
        /// What stops a run, and how a lost answer is settled.
        safety: SafetyTable;
        /// Who places the calls.
        vendor: VendorTable;
        /// What a finished conversation means: rules in order, the first that matches decides.
        outcomes: Vec<Placed<OutcomeTable>>;
    }

    /// The practice on whose behalf calls are made.
    PracticeTable {
        /// As patients know it; for the messages.
        name: String, required as r#"name = "Bright Smile Dental""#;
        /// The practice's IANA time zone: the vendor's legal hours are in it.
        timezone: Zone, required as r#"timezone = "America/Chicago""#;
        /// The Annie number that calls.
        from_number: E164, required as r#"from_number = "+13125550142""#;
        /// The number that patients call back; the from-number if left out.
        callback_number: E164;
        /// Other numbers of the practice, never dialled.
        own_numbers: Vec<E164>;
        /// The organisation that owns the from-number and the request budget; the practice's name if left out.
        organisation: String;
    }

    /// One location's line. What it leaves out is as `[practice]` has it.
    LineTable {
        /// The location, as the list's location column has it.
        location: String, required as r#"location = "Downtown""#;
        /// As the location's patients know the practice; for the messages.
        name: String;
        /// The location's IANA time zone: the vendor's legal hours are in it.
        timezone: Zone;
        /// The Annie number that calls.
        from_number: E164;
        /// The number that patients call back; the line's own from-number if it has one and this is left out.
        callback_number: E164;
        /// The organisation that owns the from-number: it has credentials and a request budget of its own.
        organisation: String;
        /// The organisation's key file, relative to this file's folder, where the environment has no credentials of it.
        key_file: PathBuf;
        /// The organisation's requests a minute; as `[rate]` has it if left out.
        requests_per_minute: Count;
        /// The organisation's conversations under way at once; as `[rate]` has it if left out.
        open_calls: Count;
    }

    /// How the patient list is read.
    ListTable {
        /// The list, relative to this file's folder. `--list` on the command line wins.
        file: PathBuf;
        /// The fields or columns whose values, together, make an entry unique within the campaign.
        key: Vec<String>;
        /// What happens to entries that a later list does not have.
        on_absent: OnAbsent;
        /// Which of several rows with the same key and different data counts.
        on_conflict: OnConflict;
        /// Which column holds which field, where the header does not say it.
        columns: ColumnNames;
        /// The share of bad rows above which the list is refused whole.
        max_reject_rate: Share;
        /// The share of the entries still to be called that a list may withdraw, from 20 such entries on; 1 allows any.
        max_withdraw_rate: Share;
        /// How old the list may be.
        max_list_age: TimeDelta;
        /// The order of day and month where a column's dates do not decide it.
        date_order: DateOrder;
        /// Where rejected rows are written, relative to this file's folder; beside the ledger if left out.
        rejects: PathBuf;
    }

    /// What is said: templates, at most 500 characters when filled in.
    MessageTable {
        /// What the call is about; supplements the bot's own workflow.
        context: Template;
        /// Left when voicemail is detected.
        voicemail: Template;
    }

    /// When calls may be made.
    CallingTable {
        /// The called party's windows.
        preset: Preset;
        /// Where consent to such calls is recorded.
        consent: Consent;
        /// The practice's own calling days.
        days: Vec<Weekday>;
        /// The practice's own calling hours, in its zone.
        window: DayWindow;
        /// Days and hours stand in place of the preset's instead of narrowing them; the vendor's legal hours hold all the same.
        allow_wider: bool;
        /// Which zones of the called party count.
        zone_mode: ZoneMode;
        /// Whether patients who share a number share a call.
        household: Switch;
        /// How often one number may be called, over all campaigns: only stricter than the vendor's own limits.
        caps: CapsTable;
        /// Days on which nobody is called where they are kept.
        holidays: HolidaysTable;
        /// Where numbers of an area code may ring, where the program's own table is wrong or too old.
        area_codes: AreaCodePlaces;
    }

    /// How often one number may be called, over all campaigns: only stricter than the vendor's own limits.
    CapsTable {
        /// The least time between two attempts.
        min_gap: TimeDelta;
        /// Attempts in rolling 7 days.
        per_7_days: Count;
        /// Attempts in rolling 30 days.
        per_30_days: Count;
        /// Failed attempts in a row that start the cool-down.
        failures_before_cool_down: Count;
        /// How long the cool-down lasts.
        cool_down: TimeDelta;
        /// The outcomes of a failed attempt.
        failed: Vec<Outcome>;
    }

    /// Days on which nobody is called where they are kept.
    HolidaysTable {
        /// Whether they are kept; left out: as the preset has it.
        observe: Switch;
        /// The list: place, day and name of each.
        days: Vec<Holiday>;
        /// Further ones, without writing the list anew.
        also: Vec<Holiday>;
    }

    /// When somebody is called again.
    RedialTable {
        /// Calls in all, the first one included.
        max_attempts: Count;
        /// The least time between two calls.
        min_gap: TimeDelta;
        /// Outcomes after which the patient is called again.
        after: Vec<Outcome>;
        /// Whether that is at another part of the day than the last call: morning until 12, afternoon until 17, evening.
        vary_time: bool;
        /// Calls end this long before the appointment starts.
        stop_before_appointment: TimeDelta;
    }

    /// How fast calls are placed.
    RateTable {
        /// The organisation's request budget, reads included.
        requests_per_minute: Count;
        /// Conversations under way at once.
        open_calls: Count;
    }

    /// What stops a run, and how a lost answer is settled.
    SafetyTable {
        /// Calls placed by one run at most.
        max_calls: MostCalls;
        /// Place this many, look at their outcomes, then go on; 0 for no canary.
        canary: Canary;
        /// Shares of finished calls that stop the run.
        stop_on: StopOnTable;
        /// How long after a lost answer the vendor's list is believed to be complete.
        settle: TimeDelta;
        /// What happens to an entry whose lost call the vendor's list does not show.
        on_lost_answer: OnLostAnswer;
        /// A conversation that is not closed this long after its start is lost track of.
        track_for: TimeDelta;
        /// How long the vendor may be out of reach before a run ends.
        outage: TimeDelta;
    }

    /// Shares of a run's finished calls that stop it.
    StopOnTable {
        /// Finished calls before a share is judged.
        at_least: Count;
        /// The newest finished calls on which a share is judged; all of the run's if left out.
        last: Count;
        /// Opt-outs.
        opt_out_rate: Share;
        /// Wrong or invalid numbers.
        wrong_number_rate: Share;
        /// Calls that the vendor refused or whose answer was lost.
        error_rate: Share;
        /// Calls that reached nobody.
        unanswered_rate: Share;
    }

    /// Who places the calls.
    VendorTable {
        /// The Annie API, or the embedded simulator.
        kind: VendorKind;
        /// Nobody is called: requests go to a simulator on this machine, and what guards live calls may be loosened.
        rehearsal: bool;
        /// A file with the API key, readable by its owner only, relative to this file's folder; the environment if left
        /// out.
        key_file: PathBuf;
        /// Simulator: decides everybody's behaviour.
        seed: u64;
        /// Simulator: the first run's first moment; the present if left out.
        start: DateTime<Utc>;
        /// Simulator: simulated seconds per real second.
        speed: Pace;
        /// Simulator: a file that scripts how single numbers behave, relative to this file's folder.
        people: PathBuf;
        /// Simulator: faults as `KIND=SHARE`.
        faults: Vec<FaultText>;
    }

    /// One rule. Every list that is given must be met, and any one of its texts meets it; case, `_` and `-` do not count.
    OutcomeTable {
        /// What a match means.
        outcome: Outcome, required as r#"outcome = "booked""#;
        /// A tag of the conversation is one of these.
        tags: Vec<String>;
        /// Its topic contains one of these.
        topic: Vec<String>;
        /// Its summary contains one of these.
        summary: Vec<String>;
        /// One of its needed actions contains one of these.
        actions: Vec<String>;
        /// It lasted at most this long, in the vendor's unit.
        duration_at_most: Pace;
    }
}

tables! {
    /// A file of lines, which a campaign names.
    LinesFile {
        /// For each location of the practice, who calls its patients.
        line: Vec<Placed<LineTable>>, required as "[[line]] with location below it";
    }
}

/// The JSON Schema of campaign files, for editors. Beyond it, `check` knows the rules between keys.
#[must_use]
pub fn schema() -> Schema {
    let mut schema = CampaignFile::schema(&mut SchemaGenerator::default());
    schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".to_owned(), "callrounds campaign".into());
    schema
}
