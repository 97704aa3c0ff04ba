use heliograph_simulation::{Scenario, Study};
use std::sync::atomic::{AtomicU32, Ordering};
fn parallel<T: Send>(count: u32, work: impl Fn(u32) -> T + Sync) -> Vec<T> {
    let next = AtomicU32::new(0);
    let mut all: Vec<(u32, T)> = std::thread::scope(|s| {
        let hs: Vec<_> = (0..2).map(|_| s.spawn(|| { let mut v = Vec::new(); loop { let i = next.fetch_add(1, Ordering::Relaxed); if i >= count { break v; } v.push((i, work(i))); } })).collect();
        hs.into_iter().flat_map(|h| h.join().unwrap()).collect()
    });
    all.sort_by_key(|x| x.0);
    all.into_iter().map(|x| x.1).collect()
}
fn main() {
    for file in std::env::args().skip(1) {
        let scenario = match Scenario::read(&file, &std::fs::read_to_string(&file).unwrap()) { Ok(s) => s, Err(e) => { println!("{e}"); continue } };
        let t = std::time::Instant::now();
        let mut study = Study::new(&scenario, None, None);
        let sc = parallel(study.screenings(), |i| study.screen(i));
        let t1 = t.elapsed();
        study.narrow(sc);
        let p = parallel(study.replications(), |i| study.replicate(i));
        let f = study.conclude(p);
        println!("{} screen {:?} all {:?} customers {} entries/s {}", f.name, t1, t.elapsed(), f.summary.customers*f64::from(study.replications()), f.summary.entries as f64/ t.elapsed().as_secs_f64());
        if let Some(c) = &f.closed_form { for r in &c.rows { println!("{:24} {:.5} {:.5} err {:+.2}% hw {:.2}%", r.measure, r.exact, r.simulated.mean, r.error*100.0, r.precision.unwrap()*100.0); } }
        if let Some(o) = &f.optimum { println!("tried {} best {}\nengine {:?}\nbest {:?}\nlot {:?}\ngap {:?}\nvs lot {:?}", o.tried, o.best, o.engine, o.best_wait, o.by_lot, o.gap, o.against_lot); }
        for q in &f.summary.queues { println!("{} offered {:.0} asa {:?}", q.name, q.offered.mean, q.asa); }
        for q in &f.summary.groups { println!("{} occ {:?}", q.name, q.occupancy.unwrap().mean); }
        println!("{:?}", f.summary.refused);
    }
}
