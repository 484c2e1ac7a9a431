// bench.dll serve|ask sync|async WORKLOAD SIZE WARM COUNT VERIFY PATH LISTENING_FD REPORT_FD
var session = new Session(args);
if (session.Async) await (session.Serves ? AsyncPipes.Serve(session) : AsyncPipes.Ask(session));
else if (session.Serves) SyncPipes.Serve(session);
else SyncPipes.Ask(session);
