// Named pipes with blocking calls.
using System.IO.Pipes;

static class SyncPipes
{
    public static void Serve(Session s)
    {
        using var pipe = new NamedPipeServerStream(s.Path, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.None);
        s.Listening();
        if (s.Workload == Workload.connect)
        {
            for (ulong i = 0; i < s.Total; ++i)
            {
                s.Step();
                pipe.WaitForConnection();
                Answer(s, pipe);
                pipe.Disconnect();
            }
        }
        else
        {
            pipe.WaitForConnection();
            if (s.OneWay) Drain(s, pipe);
            for (ulong i = 0; !s.OneWay && i < s.Total; ++i)
            {
                s.Step();
                Answer(s, pipe);
            }
        }
        s.Finish();
    }

    public static void Ask(Session s)
    {
        var pipe = Connect(s);
        for (ulong i = 0; i < s.Total; ++i)
        {
            if (i > 0 && s.Workload == Workload.connect) pipe = Connect(s);
            else if (s.Workload != Workload.connect) s.Step();
            s.Stamp();
            pipe.Write(s.Outgoing);
            if (s.OneWay) continue;
            pipe.ReadExactly(s.Incoming);
            s.Check(s.Incoming.Length);
            if (s.Workload == Workload.connect) pipe.Dispose();
        }
        if (s.OneWay) pipe.ReadExactly(s.Incoming, 0, 1);
        s.Step();
        pipe.Dispose();
        s.Finish();
    }

    static NamedPipeClientStream Connect(Session s)
    {
        if (s.Workload == Workload.connect) s.Step();
        var made = new NamedPipeClientStream(".", s.Path, PipeDirection.InOut, PipeOptions.None);
        made.Connect();
        return made;
    }

    static void Answer(Session s, NamedPipeServerStream pipe)
    {
        pipe.ReadExactly(s.Incoming);
        s.Check(s.Incoming.Length);
        s.Stamp();
        pipe.Write(s.Outgoing);
    }

    static void Drain(Session s, NamedPipeServerStream pipe)
    {
        while (s.BytesToCome > 0)
        {
            int got = pipe.Read(s.Incoming);
            if (got == 0) throw new EndOfStreamException();
            s.Check(got);
            s.Arrived(got);
        }
        pipe.Write(s.Outgoing, 0, 1);
    }
}
