//! The real binary while something around it fails: it is killed or stopped by a signal, its disk is full, its ledger is
//! damaged, old or in use, or the vendor's answers are lost. Each test ends with the same claim: nobody is called twice, and
//! nobody is forgotten.

mod crash_soak;
mod damage;
mod faults;
mod kills;
mod locks;
mod signals;
mod stale_ledger;
mod storage;
