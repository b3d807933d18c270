//! Webhooks, end to end: the real binary beside a vendor in another process that delivers, too often, too late, too early,
//! in every shape and not at all. Whatever it delivers, the calls and their outcomes are the same.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use serde_json::Value;

use crate::kill::{RUN, campaign, everything_is_settled, list};
use crate::oracle;
use crate::practice::{Ended, Practice, Started};
use crate::vendor::Vendor;

const TOKEN: &str = "s3cret-of-the-webhook";

const PATIENTS: usize = 60;

/// An address on which nobody listens at the moment.
fn free_address() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address").to_string()
}

/// Patients who are called once each, by the vendor's people of one seed.
struct Scene {
    practice: Practice,
    vendor: Vendor,
    address: String,
}

fn scene(options: &[&str]) -> Scene {
    let practice = Practice::with(&campaign("hold"), &list(PATIENTS));
    let address = free_address();
    let url = format!("http://{address}/annie");
    let fixed = ["--requests-per-minute", "600", "--seed", "7", "--webhook", &url];
    let vendor = Vendor::start_with(&[("ANNIE_WEBHOOK_TOKEN", TOKEN)], &practice, "60", &[&fixed, options].concat());
    Scene { practice, vendor, address }
}

impl Scene {
    fn run(&self, listens: bool, token: Option<&str>) -> Ended {
        let mut arguments = RUN.to_vec();
        if listens {
            arguments.extend(["--listen", &self.address]);
        }
        let mut command = self.practice.command(&arguments);
        command.env("ANNIE_BASE_URL", &self.vendor.base_url).envs(token.map(|token| ("ANNIE_WEBHOOK_TOKEN", token)));
        Ended::of(&command.output().expect("the program"))
    }

    /// Everybody is called once; what came of it, and how many requests it took.
    fn all_is_well(&self, ended: &Ended) -> (BTreeMap<String, Value>, u64) {
        let calls = self.vendor.calls();
        everything_is_settled(&self.practice, &calls, ended);
        assert_eq!((ended.code, calls.len()), (0, PATIENTS), "{}", ended.stderr);
        assert!(oracle::by_number(&calls).values().all(|count| *count == 1), "one call each");
        let report = self.practice.report();
        let patients = report["patients"].as_array().expect("patients");
        let outcome = |patient: &Value| (patient["patient_id"].to_string(), patient["outcome"].clone());
        (patients.iter().map(outcome).collect(), by_id(ended))
    }
}

/// Conversations that were asked for by their id.
fn by_id(ended: &Ended) -> u64 {
    ended.summary()["requests"]["conversations"].as_u64().expect("a count")
}

#[test]
fn deliveries_of_every_kind_change_no_outcome_and_call_nobody_twice() {
    let silent = scene(&[]);
    let (outcomes, asked) = silent.all_is_well(&silent.run(false, None));
    assert_eq!((outcomes.len(), asked), (PATIENTS, 0));
    std::thread::scope(|scope| {
        for (options, token, are_heard) in [
            (&[][..], TOKEN, Some(true)),
            (&["--fault", "reset-after=0.1", "--fault", "500-before@reads=0.1"], TOKEN, Some(true)),
            (&[], "not-the-vendors", Some(false)),
            // Of twenty deliveries all may come beside others, and be read by a page.
            (&["--webhook-stop-after", "40"], TOKEN, Some(true)),
            // What a list that lags does not show is asked for by its id anyway.
            (&["--list-lag", "40"], TOKEN, None),
        ] {
            let outcomes = &outcomes;
            scope.spawn(move || {
                let scene = scene(options);
                let (told, asked) = scene.all_is_well(&scene.run(true, Some(token)));
                assert_eq!(told, *outcomes, "{options:?}");
                let as_told = are_heard.is_none_or(|heard| (asked > 0) == heard);
                assert!(as_told, "{options:?}: {asked} asked for by their id");
            });
        }
    });
}

#[test]
fn a_run_that_cannot_take_webhooks_is_refused_before_anything_is_sent() {
    let scene = scene(&[]);
    let _taken = TcpListener::bind(&scene.address).expect("the address");
    for (token, words) in [
        (None, "--listen without ANNIE_WEBHOOK_TOKEN: set it"),
        (Some(" "), "--listen without ANNIE_WEBHOOK_TOKEN: set it"),
        (Some("two words"), "ANNIE_WEBHOOK_TOKEN: it holds a space"),
        (Some(TOKEN), "name an address of this machine and a free port"),
    ] {
        let ended = scene.run(true, token);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
        assert!(!ended.stderr.contains("two words") && !ended.stderr.contains(TOKEN), "{}", ended.stderr);
    }
    assert_eq!(scene.vendor.calls().len(), 0);
    assert!(!scene.practice.path("campaigns/callrounds.db").exists(), "nothing was recorded either");
    let ended = scene.practice.run(&["run", "campaigns/recall.toml", "--listen", "4020"]);
    assert!(ended.code == 2 && ended.stderr.contains("such as 127.0.0.1:4020"), "{ended:?}");
}

/// A demonstration that takes webhooks on `address`, and has begun.
fn demonstration(practice: &Practice, address: &str) -> Started {
    let arguments = ["run", "campaigns/demo-recall.toml", "--json", "--speed", "60", "--listen", address];
    Started::until(1, practice.command(&arguments).env("ANNIE_WEBHOOK_TOKEN", TOKEN))
}

#[test]
fn deliveries_are_taken_as_long_as_the_run_lasts() {
    let (practice, address) = (Practice::new(), free_address());
    let run = demonstration(&practice, &address);
    // However many connections are held open, the run ends when it is told to.
    let silent: Vec<_> = (0..50).map(|_| TcpStream::connect(&address).expect("somebody listens")).collect();
    run.signal("-TERM");
    let ended = run.wait();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stderr.contains(&format!("taking webhooks on http://{address}/\n")), "{}", ended.stderr);
    drop(silent);
    assert!(TcpStream::connect(&address).is_err(), "nobody listens any more");
}

#[test]
fn an_address_that_others_can_reach_is_warned_of() {
    let (practice, address) = (Practice::new(), free_address().replace("127.0.0.1", "0.0.0.0"));
    let run = demonstration(&practice, &address);
    run.signal("-TERM");
    let ended = run.wait();
    assert!(ended.stderr.contains("without TLS, so let a proxy that has it stand before"), "{}", ended.stderr);
}
