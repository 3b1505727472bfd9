using BeeFormer.Streaming.Standalone.Commands;

return await CommandLine.RunAsync(args);
