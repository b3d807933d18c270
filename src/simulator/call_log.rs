//! The log of placed calls: the oracle that tests compare everything else with.
//!
//! One JSON line for each placed call and each text conversation, written to the operating system before the response
//! leaves, so that killing the process loses no call that a client knows about. A world is rebuilt from the log.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::ConversationId;
use crate::phone::E164;

use super::medium::SimulatedMedium;
use super::people::Behaviour;

/// One placed call, as a line of the log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedCall {
    /// When it was placed.
    pub at: DateTime<Utc>,
    /// The id of its conversation.
    pub conversation_id: ConversationId,
    /// Its medium; omitted for a phone call.
    #[serde(default, skip_serializing_if = "SimulatedMedium::is_voice")]
    pub medium: SimulatedMedium,
    /// The calling number.
    #[serde(with = "number")]
    pub from_number: E164,
    /// The called number.
    #[serde(with = "number")]
    pub to_number: E164,
    /// `patientInfo.patientId`.
    pub patient_id: Option<String>,
    /// `appointmentInfo.appointmentId`.
    pub appointment_id: Option<String>,
    /// How the person takes the call.
    pub behaviour: Behaviour,
    /// The call's duration.
    pub duration_seconds: u32,
    /// The machine word of the fault that hits the response; `null` if there is none.
    pub answered: Option<String>,
}

impl std::fmt::Debug for LoggedCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LoggedCall({} at {}, the rest masked)", self.conversation_id, self.at)
    }
}

mod number {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::phone::E164;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's `with` passes a reference")]
    pub(super) fn serialize<S: Serializer>(number: &E164, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&number.expose())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<E164, D::Error> {
        E164::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// The log's file, open for writing.
#[derive(Debug)]
pub struct CallLog {
    file: File,
    /// The file's length in bytes: complete lines only.
    length: u64,
}

impl CallLog {
    /// Opens or creates a log, readable by its owner only, and reads its calls. A last line that a crash cut off
    /// belongs to a call without a response; it is removed.
    pub fn open(path: &Path) -> io::Result<(Self, Vec<LoggedCall>)> {
        let mut file = owner_only_options().read(true).append(true).create(true).open(path)?;
        if !file.metadata()?.is_file() {
            let message =
                "the simulator's log must be a regular file, since the next start reads it: name another file";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let (length, calls) = read_calls(&mut file)?;
        file.set_len(length)?;
        file.seek(SeekFrom::End(0))?;
        Ok((Self { file, length }, calls))
    }

    /// The calls of a log that another process may be writing; none if there is no log.
    pub fn read(path: &Path) -> io::Result<Vec<LoggedCall>> {
        match File::open(path) {
            Ok(mut file) => Ok(read_calls(&mut file)?.1),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Appends one call. After a failed write the file is as it was before.
    pub fn append(&mut self, call: &LoggedCall) -> io::Result<()> {
        let mut line = serde_json::to_vec(call)?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += line.len() as u64;
        Ok(())
    }
}

/// The calls of a log's complete lines, and the length of these lines in bytes.
fn read_calls(file: &mut File) -> io::Result<(u64, Vec<LoggedCall>)> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let complete = text.rfind('\n').map_or(0, |at| at + 1);
    let lines = (1..).zip(text[..complete].lines());
    Ok((complete as u64, lines.map(|(number, line)| parse(number, line)).collect::<Result<_, _>>()?))
}

fn parse(number: usize, line: &str) -> io::Result<LoggedCall> {
    serde_json::from_str(line).map_err(|_| {
        let message = format!("simulator log, line {number}: not a placed call; move the file away to start anew");
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

fn owner_only_options() -> OpenOptions {
    #[cfg_attr(not(unix), allow(unused_mut, reason = "only Unix has file modes"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(n: u32) -> LoggedCall {
        LoggedCall {
            at: "2026-11-24T15:00:00.123456789Z".parse().expect("an instant"),
            conversation_id: ConversationId::new(format!("c-{n}")),
            medium: SimulatedMedium::Voice,
            from_number: E164::parse("+13125550142").expect("a good number"),
            to_number: E164::parse("+13125550101").expect("a good number"),
            patient_id: Some("P-1".into()),
            appointment_id: None,
            behaviour: Behaviour::NoAnswer,
            duration_seconds: 30,
            answered: Some("reset-after".into()),
        }
    }

    #[test]
    fn a_line_has_the_documented_fields() {
        let line = serde_json::to_string(&call(1)).expect("a line");
        assert_eq!(
            line,
            r#"{"at":"2026-11-24T15:00:00.123456789Z","conversationId":"c-1","fromNumber":"+13125550142","toNumber":"+13125550101","patientId":"P-1","appointmentId":null,"behaviour":"no-answer","durationSeconds":30,"answered":"reset-after"}"#
        );
    }

    #[test]
    fn a_log_is_read_again_and_appended_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls.jsonl");
        for n in 0..3 {
            let (mut log, calls) = CallLog::open(&path).expect("a log");
            assert_eq!(calls, (0..n).map(call).collect::<Vec<_>>());
            log.append(&call(n)).expect("written");
        }
    }

    #[test]
    fn a_line_cut_off_by_a_crash_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls.jsonl");
        CallLog::open(&path).expect("a log").0.append(&call(0)).expect("written");
        let whole = std::fs::read(&path).expect("the log");
        let torn = [whole.as_slice(), br#"{"at":"2026"#].concat();
        std::fs::write(&path, torn).expect("torn");
        let (mut log, calls) = CallLog::open(&path).expect("a log");
        assert_eq!(calls, [call(0)]);
        log.append(&call(1)).expect("written");
        assert_eq!(CallLog::open(&path).expect("a log").1, [call(0), call(1)]);
    }

    #[test]
    fn a_file_that_is_no_log_is_refused_with_the_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls.jsonl");
        std::fs::write(&path, "{\"toNumber\": \"+13125550101\"}\n").expect("written");
        let error = CallLog::open(&path).expect_err("not a log").to_string();
        assert_eq!(error, "simulator log, line 1: not a placed call; move the file away to start anew");
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_no_log() {
        let error = CallLog::open(Path::new("/dev/full")).expect_err("a device");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_a_log() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls.jsonl");
        CallLog::open(&path).expect("a log");
        assert_eq!(std::fs::metadata(&path).expect("its mode").permissions().mode() & 0o777, 0o600);
    }
}
