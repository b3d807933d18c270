//! The tables and keys of a campaign file. Every key is optional while the file is read.
//!
//! Missing keys come from `defaults.toml`, which has the same keys and explains them.

use std::ops::Range;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc, Weekday};
use schemars::{Schema, SchemaGenerator};
use toml::de::{DeTable, DeValue};

use super::holiday::Holiday;
use super::sections::{
    Consent, DateOrder, DayWindow, HouseholdRule, ListEncoding, OnAbsent, OnConflict, OnLostAnswer, Preset, Purpose,
    VendorKind, ZoneMode,
};
use super::spanned_reader::{RawValue, Spanned, SpannedReader, over, tables};
use super::value::{
    AreaCodeTable, BotStyleWord, CallLimit, Canary, CellValues, ColumnNames, Count, FaultText, Fraction,
    PositiveNumber, Switch,
};
use super::writeback::WritebackColumns;
use crate::entry::Outcome;
use crate::ids::CampaignName;
use crate::phone::E164;
use crate::template::Template;
use crate::zone::Zone;

tables! {
    /// A callrounds campaign: which patients it calls, when, and with which messages.
    CampaignFile {
        /// Names the campaign in the ledger. A patient is called once within it, however often it is run.
        name: CampaignName, required as r#"name = "six-month-recall""#;
        /// What the calls are for. It selects the defaults.
        purpose: Purpose, required as r#"purpose = "recall" (or "reminder", "follow_up")"#;
        /// Whether `outcomes` replaces the default rules instead of coming before them.
        replace_default_outcomes: bool;
        /// The practice on whose behalf calls are made.
        practice: PracticeTable, required as r"[practice] with name, timezone and from_number below it";
        /// A file of further `[[line]]` tables, relative to this file's folder.
        lines: PathBuf;
        /// One table for each location of the practice, with its caller id; the list's location column names the
        /// location of each row.
        line: Vec<Spanned<LocationTable>>;
        /// How the patient list is read.
        list: ListTable;
        /// The message templates.
        message: MessageTable;
        /// When calls may be made.
        calling: CallingTable;
        /// When a patient is called again.
        redial: RedialTable;
        /// The request budget and the limit on concurrent calls.
        rate: RateTable;
        /// What stops a run, and how a lost answer is settled.
        safety: SafetyTable;
        /// How long patients' data is kept.
        privacy: PrivacyTable;
        /// The API or the simulator that places the calls.
        vendor: VendorTable;
        /// The files of `callrounds writeback`.
        writeback: WritebackTable;
        /// What a finished conversation means: rules in order, the first that matches decides.
        outcomes: Vec<Spanned<OutcomeTable>>;
    }

    /// The practice on whose behalf calls are made.
    PracticeTable {
        /// The name that patients know; used in messages.
        name: String, required as r#"name = "Bright Smile Dental""#;
        /// The practice's IANA time zone; the vendor's legal hours apply in it.
        timezone: Zone, required as r#"timezone = "America/Chicago""#;
        /// The caller id: an Annie number.
        from_number: E164, required as r#"from_number = "+13125550142""#;
        /// The number that patients call back; `from_number` if left out.
        callback_number: E164;
        /// Other numbers of the practice, never dialled.
        own_numbers: Vec<E164>;
        /// The organisation that owns the caller id and the request budget; the practice's name if left out.
        organisation: String;
    }

    /// One location with its caller id. Keys left out are taken from `[practice]`.
    LocationTable {
        /// The location's name, as in the list's location column.
        location: String, required as r#"location = "Downtown""#;
        /// The name that the location's patients know; used in messages.
        name: String;
        /// The location's IANA time zone; the vendor's legal hours apply in it.
        timezone: Zone;
        /// The caller id: an Annie number.
        from_number: E164;
        /// The number that patients call back; if left out, `callback_number` of `[practice]`, or else this location's
        /// `from_number`.
        callback_number: E164;
        /// The organisation that owns the caller id; each organisation has its own credentials and request budget.
        organisation: String;
        /// The organisation's key file, relative to this file's folder; used if no variable with the organisation's
        /// suffix is set.
        key_file: PathBuf;
        /// The organisation's request budget, requests per minute; from `[rate]` if left out.
        requests_per_minute: Count;
        /// The organisation's limit on concurrent calls; from `[rate]` if left out.
        open_calls: Count;
    }

    /// How the patient list is read.
    ListTable {
        /// The list file, relative to this file's folder. `--list` on the command line overrides it.
        file: PathBuf;
        /// The fields or columns whose values together identify an entry within the campaign.
        key: Vec<String>;
        /// What happens to entries that are missing from a later list.
        on_absent: OnAbsent;
        /// Which of several rows with the same key and different data counts.
        on_conflict: OnConflict;
        /// Which column holds which field, for headers that are not recognised.
        columns: ColumnNames;
        /// Columns that are read as no field, although their headings look like one.
        ignore: Vec<String>;
        /// What words mean in the columns that may forbid a call: a column or field, and for each word `call`,
        /// `do_not_call`, `inactive`, `deceased` or `appointment_off`.
        values: CellValues;
        /// The fraction of rejected rows above which the whole list is refused.
        max_reject_rate: Fraction;
        /// The fraction of the entries still to be called that a list may withdraw, checked from 20 such entries on; 1
        /// allows any.
        max_withdraw_rate: Fraction;
        /// How old the list may be.
        max_list_age: TimeDelta;
        /// The order of day and month in columns whose dates do not decide it.
        date_order: DateOrder;
        /// The list's character encoding, where it is not recognised.
        encoding: ListEncoding;
        /// The rejects file, relative to this file's folder; next to the ledger if left out.
        rejects: PathBuf;
    }

    /// The message templates; a rendered message has at most 500 characters.
    MessageTable {
        /// What the call is about; supplements the bot's workflow.
        context: Template;
        /// The message left when voicemail is detected.
        voicemail: Template;
    }

    /// When calls may be made.
    CallingTable {
        /// The dialing hours of the called party.
        preset: Preset;
        /// Where consent to such calls is recorded.
        consent: Consent;
        /// The practice's own calling days.
        days: Vec<Weekday>;
        /// The practice's own calling hours, in its zone.
        window: DayWindow;
        /// Days and hours replace the preset's instead of narrowing them; the vendor's legal hours apply in either
        /// case.
        allow_wider: bool;
        /// Which time zones of the called party are checked.
        zone_mode: ZoneMode;
        /// Which patients who share a number share a call, as a household: those of one last name, guarantor or household
        /// id (`name`), all (`number`), none (`off`). `on` means `name`.
        household: HouseholdRule;
        /// The limits on calls to one number, over all campaigns; they can only be stricter than the vendor's own.
        caps: CapsTable;
        /// Days on which nobody is called in the regions that observe them.
        holidays: HolidaysTable;
        /// The states or time zones of area codes for which the built-in table is wrong or outdated.
        area_codes: AreaCodeTable;
    }

    /// The limits on calls to one number, over all campaigns; they can only be stricter than the vendor's own.
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
        /// The outcomes that count as a failed attempt.
        failed: Vec<Outcome>;
    }

    /// Days on which nobody is called in the regions that observe them.
    HolidaysTable {
        /// Whether holidays are observed; the preset decides if left out.
        observe: Switch;
        /// The holidays: region, day and name of each.
        days: Vec<Holiday>;
        /// Further holidays, added to `days`.
        also: Vec<Holiday>;
    }

    /// When a patient is called again.
    RedialTable {
        /// The total number of calls, the first one included.
        max_attempts: Count;
        /// The least time between two calls.
        min_gap: TimeDelta;
        /// Outcomes after which the patient is called again.
        after: Vec<Outcome>;
        /// Whether a redial is made at another part of the day than the last call: morning until 12, afternoon until
        /// 17, evening.
        vary_time: bool;
        /// No call starts later than this before the appointment.
        stop_before_appointment: TimeDelta;
    }

    /// The request budget and the limit on concurrent calls.
    RateTable {
        /// The organisation's request budget, requests per minute; reads count too.
        requests_per_minute: Count;
        /// The limit on concurrent calls.
        open_calls: Count;
    }

    /// What stops a run, and how a lost answer is settled.
    SafetyTable {
        /// The number of calls that one run may place.
        max_calls: CallLimit;
        /// The number of calls whose outcomes are awaited before others are placed; 0 for no canary.
        canary: Canary;
        /// The stop rules: fractions of finished calls that stop the run.
        stop_on: StopOnTable;
        /// The settle time: how long after a lost answer the vendor's list is taken as complete.
        settle: TimeDelta;
        /// What happens to an entry whose call the vendor's list does not show after a lost answer.
        on_lost_answer: OnLostAnswer;
        /// How long after its start a conversation is followed; one that is not closed by then is lost track of.
        track_for: TimeDelta;
        /// How long the vendor may be unreachable before a run ends.
        outage: TimeDelta;
    }

    /// The stop rules: fractions of a run's finished calls that stop it.
    StopOnTable {
        /// The number of finished calls before a rate is evaluated.
        at_least: Count;
        /// The number of newest finished calls that a rate is evaluated on; all of the run's if left out.
        last: Count;
        /// Opt-outs.
        opt_out_rate: Fraction;
        /// Wrong or invalid numbers.
        wrong_number_rate: Fraction;
        /// Calls that the vendor refused, and lost answers.
        error_rate: Fraction;
        /// Calls that reached nobody.
        unanswered_rate: Fraction;
    }

    /// The API or the simulator that places the calls.
    VendorTable {
        /// The Annie API, or the embedded simulator.
        kind: VendorKind;
        /// Whether the campaign is a rehearsal: requests go to a simulator on this machine, and the limits that protect
        /// live calls may be loosened.
        rehearsal: bool;
        /// A file with the API key, readable by its owner only, relative to this file's folder; used if the environment
        /// has no credentials.
        key_file: PathBuf;
        /// Simulator: the seed of the patients' behaviour.
        seed: u64;
        /// Simulator: the instant at which the first run starts; the current time if left out.
        start: DateTime<Utc>;
        /// Simulator: simulated seconds per real second.
        speed: PositiveNumber;
        /// Simulator: a file with scripted behaviour of single numbers, relative to this file's folder.
        people: PathBuf;
        /// Simulator: faults as `KIND=SHARE`.
        faults: Vec<FaultText>;
        /// Simulator: the style of the bot's tags; with it, its summaries are in many phrasings.
        bot_style: BotStyleWord;
    }

    /// How long patients' data is kept.
    PrivacyTable {
        /// How long the ledger keeps what was said in a call: its tags, topic, summary and actions needed.
        keep_words_for: TimeDelta;
    }

    /// The files of `callrounds writeback`.
    WritebackTable {
        /// The columns of a CSV file, in order: field → column name. Without it every field is a column under its own
        /// name.
        columns: WritebackColumns;
    }

    /// One rule. Every condition that is given must match; a list matches if any of its texts matches. Texts are compared
    /// by whole words, without case, accents and marks.
    OutcomeTable {
        /// The outcome of a match.
        outcome: Outcome, required as r#"outcome = "booked""#;
        /// A tag of the conversation equals one of these.
        tags: Vec<String>;
        /// The topic contains one of these.
        topic: Vec<String>;
        /// The summary contains one of these.
        summary: Vec<String>;
        /// A needed action contains one of these.
        actions: Vec<String>;
        /// The conversation lasted at most this long, in the vendor's unit.
        duration_at_most: PositiveNumber;
        /// The rule does not apply if a tag, the topic, the summary or a needed action contains one of these.
        unless: Vec<String>;
    }
}

tables! {
    /// A separate file of `[[line]]` tables, which a campaign names.
    LocationsFile {
        /// One table for each location of the practice, with its caller id.
        line: Vec<Spanned<LocationTable>>, required as "[[line]] with location below it";
    }
}

/// The JSON Schema of campaign files, for editors. It does not contain the rules between keys, which `check` applies.
#[must_use]
pub fn schema() -> Schema {
    let mut schema = CampaignFile::schema(&mut SchemaGenerator::default());
    schema.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    schema.insert("title".to_owned(), "callrounds campaign".into());
    schema
}
