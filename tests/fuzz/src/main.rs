//! `fuzz seeds TARGET FOLDER` writes the seeds of a target, one a file. Built with `--cfg fuzzing` it is LLVM's fuzzer
//! instead, for the target that `FUZZ_TARGET` names: see `infra/fuzz.sh`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    static TARGET: std::sync::OnceLock<fuzz::Target> = std::sync::OnceLock::new();
    let target = TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
        fuzz::target(&name).unwrap_or_else(|| panic!("there is no target {name}"))
    });
    let _refused = (target.run)(input);
});

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let names = fuzz::TARGETS.map(|target| target.name).join(" ");
    let [order, name, folder] = arguments.as_slice() else {
        println!("{names}");
        return Ok(());
    };
    let target = fuzz::target(name).filter(|_| order == "seeds");
    let unknown =
        || std::io::Error::other(format!("usage: fuzz seeds TARGET FOLDER; targets: {names}"));
    let target = target.ok_or_else(unknown)?;
    std::fs::create_dir_all(folder)?;
    for (number, seed) in (target.seeds)().into_iter().enumerate() {
        std::fs::write(std::path::Path::new(folder).join(format!("seed-{number:02}")), seed)?;
    }
    Ok(())
}
