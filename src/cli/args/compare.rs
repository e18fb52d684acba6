//! Flags of `compare`.

use std::path::PathBuf;

use clap::Args;

use super::{LoadArgs, OutputArgs};

#[derive(Debug, Default, Args)]
pub struct CompareArgs {
    /// A profile's path or a built-in's name (see `gatebench profiles`)
    #[arg(required_unless_present = "url", conflicts_with = "url")]
    pub profile: Option<String>,
    #[command(flatten)]
    pub load: LoadArgs,
    /// An arm, instead of the profile's ('large: stack.pool.max_connections=64, stack.concurrency=64'); repeatable; one
    /// alone is held against the profile as it is
    #[arg(long, value_name = "NAME: KEY=VALUE, …")]
    pub arm: Vec<String>,
    /// Blocks of each arm, at most; an even number, 12 or more for 95% intervals [compare.blocks]
    #[arg(long, value_name = "N")]
    pub blocks: Option<u32>,
    /// Length of a block (2s) [compare.block]
    #[arg(long, value_name = "TIME")]
    pub block: Option<String>,
    /// End early when the interval of every metric asked for is no wider (5%) [compare.until]
    #[arg(long, value_name = "SHARE")]
    pub until: Option<String>,
    /// What makes no difference: 5%, or of one metric response.p99=10%; repeatable [compare.tolerance]
    #[arg(long, value_name = "SHARE|METRIC=SHARE")]
    pub tolerance: Vec<String>,
    /// A metric to ask for (response.p50); repeatable [compare.metrics]
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,
    /// The whole comparison at each value of a key (users=1,8,64); of several keys all get the same value
    /// [compare.sweep]
    #[arg(long, value_name = "KEY=V1,V2,…")]
    pub sweep: Option<String>,
    /// Write the result to FILE; the ending picks the format: .json, .html, .csv (the blocks), .md or .xml (JUnit);
    /// repeatable
    #[arg(long, value_name = "FILE")]
    pub out: Vec<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
}
