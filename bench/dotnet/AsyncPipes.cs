// Named pipes with async calls.
using System.IO.Pipes;

static class AsyncPipes
{
    public static async Task Serve(Session s)
    {
        using var pipe = new NamedPipeServerStream(s.Path, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        s.Listening();
        if (s.Workload == Workload.connect)
        {
            for (ulong i = 0; i < s.Total; ++i)
            {
                s.Step();
                await pipe.WaitForConnectionAsync();
                await Answer(s, pipe);
                pipe.Disconnect();
            }
        }
        else
        {
            await pipe.WaitForConnectionAsync();
            if (s.OneWay) await Drain(s, pipe);
            for (ulong i = 0; !s.OneWay && i < s.Total; ++i)
            {
                s.Step();
                await Answer(s, pipe);
            }
        }
        s.Finish();
    }

    public static async Task Ask(Session s)
    {
        var pipe = await Connect(s);
        for (ulong i = 0; i < s.Total; ++i)
        {
            if (i > 0 && s.Workload == Workload.connect) pipe = await Connect(s);
            else if (s.Workload != Workload.connect) s.Step();
            s.Stamp();
            await pipe.WriteAsync(s.Outgoing);
            if (s.OneWay) continue;
            await pipe.ReadExactlyAsync(s.Incoming);
            s.Check(s.Incoming.Length);
            if (s.Workload == Workload.connect) pipe.Dispose();
        }
        if (s.OneWay) await pipe.ReadExactlyAsync(s.Incoming, 0, 1);
        s.Step();
        pipe.Dispose();
        s.Finish();
    }

    static async Task<NamedPipeClientStream> Connect(Session s)
    {
        if (s.Workload == Workload.connect) s.Step();
        var made = new NamedPipeClientStream(".", s.Path, PipeDirection.InOut, PipeOptions.Asynchronous);
        await made.ConnectAsync();
        return made;
    }

    static async Task Answer(Session s, NamedPipeServerStream pipe)
    {
        await pipe.ReadExactlyAsync(s.Incoming);
        s.Check(s.Incoming.Length);
        s.Stamp();
        await pipe.WriteAsync(s.Outgoing);
    }

    static async Task Drain(Session s, NamedPipeServerStream pipe)
    {
        while (s.BytesToCome > 0)
        {
            int got = await pipe.ReadAsync(s.Incoming);
            if (got == 0) throw new EndOfStreamException();
            s.Check(got);
            s.Arrived(got);
        }
        await pipe.WriteAsync(s.Outgoing, 0, 1);
    }
}
