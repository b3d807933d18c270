#![no_main]

#[allow(dead_code, reason = "each target feeds one reader")]
#[path = "../../tests/callrounds/support/feed.rs"]
mod feed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = feed::delivery(bytes);
});
